//! The gate, tested through its door: a real listener, real TLS, and a router with a few odd handlers.

#[cfg(test)]
mod containment;
#[cfg(test)]
mod hygiene;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod opening;
#[cfg(test)]
mod stop;
#[cfg(test)]
mod support;
#[cfg(test)]
mod transport;
