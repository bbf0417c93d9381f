//! The management API from outside: requests in, answers out.

mod clients;
mod description;
mod requests;
mod world;
