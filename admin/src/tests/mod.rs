//! The management API from outside: requests in, answers out.

mod clients;
mod description;
mod hesitant;
mod requests;
mod world;
