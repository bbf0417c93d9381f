//! What an experiment is given.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};

use crate::actor::Site;
use crate::cluster::{Cluster, Recipe};
use crate::ledger::Ledger;
use crate::postgres::Postgres;
use crate::random::Random;
use crate::setup::{self, Office};
use crate::{Options, Store};

/// Where, how much, and by which choices.
pub(crate) struct World {
    pub program: PathBuf,
    /// The program of the version before.
    pub previous: Option<PathBuf>,
    pub directory: PathBuf,
    pub store: Store,
    pub postgres: Option<Postgres>,
    pub random: Random,
    pub scale: usize,
    pub asynchronous: bool,
    /// A port of this machine by which the first node reaches its database.
    pub detour: Option<u16>,
    /// Whether the nodes are told what time it is.
    pub fake_clocks: bool,
    pub ledger: Arc<Ledger>,
}

/// Nodes with a workspace, people and a client.
pub(crate) struct Yard {
    pub cluster: Arc<Cluster>,
    pub site: Arc<Site>,
    pub office: Office,
}

impl World {
    pub(crate) fn new(
        options: &Options,
        directory: &Path,
        store: Store,
        postgres: Option<Postgres>,
        random: Random,
    ) -> Self {
        Self {
            program: options.postern.clone(),
            previous: options.previous.clone(),
            directory: directory.to_owned(),
            store,
            postgres,
            random,
            scale: options.scale,
            asynchronous: options.asynchronous,
            detour: None,
            fake_clocks: false,
            ledger: Arc::new(Ledger::new()),
        }
    }

    pub(crate) fn postgres(&mut self) -> Result<&mut Postgres> {
        self.postgres.as_mut().context("an experiment with PostgreSQL")
    }

    /// Nodes as this database has them: one on SQLite, three on PostgreSQL.
    pub(crate) async fn yard(&mut self) -> Result<Yard> {
        let data = self.directory.clone();
        self.yard_with(&data, None, "").await
    }

    /// The same with the data elsewhere, behind a balancer, or with other settings.
    pub(crate) async fn yard_with(
        &mut self,
        data: &Path,
        front: Option<u16>,
        settings: &str,
    ) -> Result<Yard> {
        let (url, nodes) = match self.store {
            Store::Sqlite => (format!("sqlite:{}", data.join("postern.db").display()), 1),
            Store::Postgres => (self.postgres()?.database()?, 3),
        };
        let recipe = Recipe {
            program: &self.program,
            directory: &self.directory,
            store: &url,
            nodes,
            front,
            settings,
            detour: self.detour,
            fake_clocks: self.fake_clocks,
        };
        let cluster = recipe.start().await?;
        let (site, office) = setup::furnish(&cluster, &self.ledger).await?;
        Ok(Yard { cluster: Arc::new(cluster), site, office })
    }
}
