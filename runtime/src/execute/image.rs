//! Images and their index, as OCI documents.

use std::collections::BTreeMap;

use files::oci::{self, Descriptor};
use model::plan::ImageConfig;
use model::{Arch, Finding, canonical_json};

use super::value::{Image, Layer};
use super::{Context, Record, Value, broken};

/// Writes manifest and configuration of one architecture's image. Inputs that are no layers are checks that passed.
pub(super) fn image(
    context: &Context,
    inputs: &[Value],
    arch: Arch,
    epoch: i64,
    config: &ImageConfig,
    annotations: &BTreeMap<String, String>,
) -> Result<Record, Finding> {
    let mut layers = Vec::new();
    for input in inputs {
        match input {
            Value::Layer(layer) => layers.push(layer.clone()),
            // what tests leave behind is of no interest
            Value::Nothing | Value::Blob(_) | Value::Tree { .. } => {}
            _ => return Err(broken("an image step has an input that is neither layer nor check")),
        }
    }
    let configuration = configuration(&layers, arch, epoch, config, annotations)?;
    let config = context.keep_document(&canonical_json(&configuration))?;
    let manifest = oci::Manifest {
        schema_version: 2,
        media_type: oci::MANIFEST.into(),
        config: Descriptor::new(oci::CONFIG, config.digest, config.size),
        layers: layers.iter().map(|layer| Descriptor::new(oci::LAYER, layer.digest, layer.size)).collect(),
        annotations: annotations.clone(),
    };
    let manifest = context.keep_document(&canonical_json(&manifest))?;
    let objects = vec![config.digest, manifest.digest];
    Ok(Record::new(Value::Image(Image { arch, manifest, config, layers }), objects))
}

fn configuration(
    layers: &[Layer],
    arch: Arch,
    epoch: i64,
    config: &ImageConfig,
    annotations: &BTreeMap<String, String>,
) -> Result<oci::Configuration, Finding> {
    let created =
        jiff::Timestamp::from_second(epoch).map_err(|e| broken(format!("the epoch {epoch}: {e}")))?.to_string();
    let history = layers.iter().map(|layer| oci::History {
        created: Some(created.clone()),
        created_by: Some("clnstrt".into()),
        comment: Some(layer.title.clone()),
        empty_layer: false,
    });
    let list = |list: &[String]| (!list.is_empty()).then(|| list.to_vec());
    let ports: BTreeMap<_, _> = config.ports.iter().map(|port| (port.clone(), oci::Nothing {})).collect();
    Ok(oci::Configuration {
        architecture: arch.name().into(),
        os: "linux".into(),
        config: oci::Execution {
            user: config.user.clone(),
            exposed_ports: (!ports.is_empty()).then_some(ports),
            env: list(&config.env),
            entrypoint: list(&config.entrypoint),
            cmd: list(&config.command),
            working_dir: config.workdir.clone(),
            labels: (!annotations.is_empty()).then(|| annotations.clone()),
            other: BTreeMap::new(),
        },
        rootfs: oci::RootFs { kind: "layers".into(), diff_ids: layers.iter().map(|layer| layer.diff_id).collect() },
        history: history.collect(),
        created: Some(created),
    })
}

/// Writes the index over images.
pub(super) fn index(
    context: &Context,
    inputs: &[Value],
    annotations: &BTreeMap<String, String>,
) -> Result<Record, Finding> {
    let images = inputs.iter().map(|input| match input {
        Value::Image(image) => Ok(image.clone()),
        _ => Err(broken("an index step has an input that is no image")),
    });
    let images = images.collect::<Result<Vec<_>, _>>()?;
    let manifests = images.iter().map(|image| Descriptor {
        platform: Some(oci::Platform { architecture: image.arch.name().into(), os: "linux".into() }),
        ..Descriptor::new(oci::MANIFEST, image.manifest.digest, image.manifest.size)
    });
    let index = oci::Index {
        schema_version: 2,
        media_type: oci::INDEX.into(),
        manifests: manifests.collect(),
        annotations: annotations.clone(),
    };
    let kept = context.keep_document(&canonical_json(&index))?;
    let value = Value::Index { digest: kept.digest, size: kept.size, images };
    Ok(Record::new(value, vec![kept.digest]))
}
