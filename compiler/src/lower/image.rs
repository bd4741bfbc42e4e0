//! What an image says of itself: how it is started, and its annotations.

use std::collections::BTreeMap;

use model::config::{Config, Place, Run};
use model::plan::ImageConfig;
use stdlib::base::Base;
use stdlib::language::Catalogue;

use super::Lowering;

impl Lowering<'_, '_> {
    pub(super) fn image_config(&self) -> ImageConfig {
        let Run { entrypoint, command, user, workdir, env, ports, health: _, read_only_root: _ } = &self.config.run;
        let env = environment(self.base, self.catalogue, env);
        let user = user.as_ref().map_or(self.base.user, |user| user.value);
        ImageConfig {
            user: format!("{user}:{user}"),
            env: env.into_iter().map(|(name, value)| format!("{name}={value}")).collect(),
            entrypoint: entrypoint.clone(),
            command: command.clone(),
            workdir: workdir.as_ref().map_or("/", |dir| dir.value.as_str()).into(),
            ports: ports.iter().map(|port| format!("{port}/tcp")).collect(),
        }
    }
}

/// OCI annotation keys and, for what OCI has no words for, keys of this project; from the configuration and the lock alone.
pub(crate) fn annotations(config: &Config, epoch: i64) -> BTreeMap<String, String> {
    let (metadata, run) = (&config.metadata, &config.run);
    let health = run.health.as_ref();
    let commit = config.source.as_ref().and_then(|source| match &source.place {
        Place::Git { url, commit } => Some((&url.value, &commit.value)),
        Place::Folder(_) => None,
    });
    let oci = |key: &str| format!("org.opencontainers.image.{key}");
    let own = |key: &str| format!("dev.clnstrt.{key}");
    let fields = [
        (oci("title"), Some(config.name.value.clone())),
        (oci("description"), config.description.as_ref().map(|d| d.value.clone())),
        (oci("version"), config.version.as_ref().map(|v| v.value.clone())),
        (oci("authors"), metadata.owner.clone()),
        (oci("documentation"), metadata.documentation.clone()),
        (oci("created"), Some(rfc3339(epoch))),
        (oci("source"), commit.map(|(url, _)| url.clone())),
        (oci("revision"), commit.map(|(_, commit)| commit.clone())),
        (own("variant"), config.variant.unless_prod().map(str::to_owned)),
        (own("health.http"), health.map(|health| health.http.clone())),
        (own("health.port"), health.map(|health| health.port.to_string())),
        (own("read-only-root"), run.read_only_root.then(|| "true".to_owned())),
        (own("compliance"), Some(metadata.compliance.join(",")).filter(|list| !list.is_empty())),
    ];
    fields.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()
}

/// The environment of a container: that of the base, of the language, and what the configuration sets.
pub(crate) fn environment<'e>(
    base: &'e Base,
    language: Option<&'e Catalogue>,
    own: &'e BTreeMap<String, String>,
) -> BTreeMap<&'e String, &'e String> {
    let language = language.into_iter().flat_map(|catalogue| &catalogue.environment);
    base.environment.iter().chain(language).chain(own).collect()
}

fn rfc3339(epoch: i64) -> String {
    jiff::Timestamp::from_second(epoch).map(|time| time.to_string()).unwrap_or_default()
}
