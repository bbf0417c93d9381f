//! The hall: routes, endpoints and pages that a browser or a client meets.

pub mod pages;
