//! The modules of the basic, implicit and hybrid plans and of their form_post siblings, each for every response type and
//! response mode (docs/CONFORMANCE.md).

mod answers;
mod logins;
mod requests;
mod stage;
mod tokens;
