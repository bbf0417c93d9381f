//! E7: the version before and this one side by side on one database, behind a load balancer: an upgrade node by node, the
//! way back, and the upgrade again, while people log in, redeem and refresh on whichever node comes (promise P3).
//!
//! `--previous PATH` names the program of the version before; without it this one plays both parts.

use anyhow::Result;

use crate::rolling;
use crate::world::World;
use crate::{Experiment, Store, Verdict};

pub(crate) const EXPERIMENT: Experiment =
    Experiment { name: "mixed", stores: &[Store::Postgres], run: |world| Box::pin(run(world)) };

async fn run(world: &mut World) -> Result<Verdict> {
    let this = world.program.clone();
    let previous = world.previous.clone();
    let played =
        if previous.is_some() { "" } else { "this program in both parts (--previous names another): " };
    let previous = previous.unwrap_or_else(|| this.clone());
    // The schema is made by the older one.
    world.program.clone_from(&previous);
    let held = rolling::roll(world, &[this.clone(), previous, this]).await?;
    Ok(Verdict::Held(format!("{played}forth, back and forth again: {held}")))
}
