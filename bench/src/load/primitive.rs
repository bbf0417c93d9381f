//! The bare primitives, on whatever core this process runs: what no server can do more of.

use std::hint::black_box;
use std::time::Duration;

use anyhow::{Result, anyhow};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use bench::process;
use bench::stopwatch::Stopwatch;
use clap::ValueEnum;
use serde_json::{Value, json};

/// Bytes that are signed: as long as a token's header and claims.
const MESSAGE: usize = 420;

/// What is done again and again.
#[derive(Clone, Copy, PartialEq, ValueEnum)]
pub(crate) enum Primitive {
    /// One ES256 signature.
    SignEs256,
    /// One RS256 signature, 2048 bits.
    SignRs256,
    /// One Argon2id hash with the parameters that OWASP recommends, in memory that is kept.
    Argon2id,
}

/// Does it for `secs`; the report is like that of an operation.
pub(crate) fn measure(primitive: Primitive, secs: f64) -> Result<Value> {
    let mut once = prepared(primitive)?;
    once()?;
    let (mut count, spent_before, watch) =
        (0_u32, process::processor_time(std::process::id()), Stopwatch::start());
    while watch.elapsed() < Duration::from_secs_f64(secs) {
        once()?;
        count += 1;
    }
    let seconds = watch.elapsed().as_secs_f64();
    let spent = process::processor_time(std::process::id()).saturating_sub(spent_before);
    let micros = spent.as_secs_f64() * 1e6 / f64::from(count.max(1));
    Ok(json!({
        "ops_per_s": (f64::from(count) / seconds).round(),
        "cpu_us_per_op": (micros * 10.0).round() / 10.0,
    }))
}

type Once = Box<dyn FnMut() -> Result<()>>;

fn prepared(primitive: Primitive) -> Result<Once> {
    let (random, message) = (SystemRandom::new(), vec![b'x'; MESSAGE]);
    Ok(match primitive {
        Primitive::SignEs256 => {
            let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(unspecified)?;
            Box::new(move || {
                black_box(key.sign(&random, &message).map_err(unspecified)?);
                Ok(())
            })
        }
        Primitive::SignRs256 => {
            let key = RsaKeyPair::generate(KeySize::Rsa2048).map_err(unspecified)?;
            let mut signature = vec![0; key.public_modulus_len()];
            Box::new(move || {
                key.sign(&RSA_PKCS1_SHA256, &random, &message, &mut signature).map_err(unspecified)
            })
        }
        Primitive::Argon2id => {
            let wrong = |error| anyhow!("argon2: {error}");
            let params = Params::new(19 * 1024, 2, 1, Some(32)).map_err(wrong)?;
            let mut memory = vec![Block::new(); params.block_count()];
            let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
            let mut derived = [0; 32];
            Box::new(move || {
                let salt = b"salt of the measurement";
                argon2
                    .hash_password_into_with_memory(b"password", salt, &mut derived, &mut memory)
                    .map_err(wrong)
            })
        }
    })
}

fn unspecified(_: aws_lc_rs::error::Unspecified) -> anyhow::Error {
    anyhow!("the primitive failed")
}
