//! CycloneDX 1.5.

mod xml;

use std::str::FromStr as _;

use cyclonedx_bom::external_models::date_time::DateTime;
use cyclonedx_bom::external_models::normalized_string::NormalizedString;
use cyclonedx_bom::external_models::uri::{Purl, Uri};
use cyclonedx_bom::models::bom::{Bom, BomReference, SpecVersion, UrnUuid};
use cyclonedx_bom::models::component::{
    Classification, Component as Part, ComponentEvidence, Components, Cpe, Occurrence, Occurrences,
};
use cyclonedx_bom::models::composition::{AggregateType, Composition, Compositions};
use cyclonedx_bom::models::dependency::{Dependencies, Dependency};
use cyclonedx_bom::models::external_reference::{ExternalReference, ExternalReferenceType, ExternalReferences};
use cyclonedx_bom::models::hash::{Hash, HashAlgorithm, HashValue, Hashes};
use cyclonedx_bom::models::license::{LicenseChoice, Licenses};
use cyclonedx_bom::models::metadata::Metadata;
use cyclonedx_bom::models::organization::OrganizationalEntity;
use cyclonedx_bom::models::property::{Properties, Property};
use cyclonedx_bom::models::tool::Tools;
use model::Digest;

use crate::bill::{Bill, Component, Kind};
use crate::{Licence, sbom};

pub(crate) use xml::write as xml;

/// The document, as the library writes it.
pub(crate) fn document(bill: &Bill<'_>) -> Bom {
    let image = image(bill);
    let reference = bill.image.reference();
    let components = bill.components.iter().map(|component| part(bill, component)).collect();
    let depends = |own: &str, needed: &mut dyn Iterator<Item = usize>| Dependency {
        dependency_ref: own.to_owned(),
        dependencies: needed.filter_map(|at| Some(bill.components.get(at)?.id.clone())).collect(),
    };
    let mut dependencies = vec![depends(&reference, &mut bill.roots.keys().copied())];
    for (number, component) in bill.components.iter().enumerate() {
        let needed = bill.needs.get(&number).into_iter().flat_map(|needed| needed.keys().copied());
        dependencies.push(depends(&component.id, &mut needed.into_iter()));
    }
    let tool = Part::new(Classification::Application, sbom::TOOL, env!("CARGO_PKG_VERSION"), None);
    let whole = Composition {
        bom_ref: None,
        aggregate: if bill.is_complete { AggregateType::Complete } else { AggregateType::Unknown },
        assemblies: None,
        dependencies: Some(vec![BomReference::new(&reference)]),
        vulnerabilities: None,
        signature: None,
    };
    Bom {
        version: 1,
        serial_number: UrnUuid::new(format!("urn:uuid:{}", sbom::uuid(bill))).ok(),
        metadata: Some(Metadata {
            timestamp: DateTime::try_from(sbom::time(bill.image.created)).ok(),
            tools: Some(Tools::Object { services: None, components: Some(Components(vec![tool])) }),
            component: Some(image),
            ..Metadata::default()
        }),
        components: Some(Components(components)),
        dependencies: Some(Dependencies(dependencies)),
        compositions: Some(Compositions(vec![whole])),
        spec_version: SpecVersion::V1_5,
        ..Bom::default()
    }
}

fn image(bill: &Bill<'_>) -> Part {
    let image = &bill.image;
    let mut part = Part::new(Classification::Container, &image.name, "", Some(image.reference()));
    part.version = image.version.as_deref().map(NormalizedString::new);
    part.hashes = image.manifest.map(|digest| hashes(&digest));
    let architecture = Property::new("clnstrt:architecture", &image.architecture);
    let layers = image.layers.iter().map(|layer| Property::new("clnstrt:layer", &layer.to_string()));
    part.properties = Some(Properties(std::iter::once(architecture).chain(layers).collect()));
    part
}

fn part(bill: &Bill<'_>, component: &Component) -> Part {
    let kind = match component.kind {
        Kind::Library => Classification::Library,
        Kind::Application => Classification::Application,
    };
    let mut part = Part::new(kind, &component.name, "", Some(component.id.clone()));
    part.version = component.version.as_deref().map(NormalizedString::new);
    part.group = component.namespace.as_deref().map(NormalizedString::new);
    part.description = component.description.as_deref().map(NormalizedString::new);
    part.purl = component.purl.as_deref().and_then(|purl| Purl::from_str(purl).ok());
    part.hashes = component.sha256.map(|digest| hashes(&digest));
    part.licenses = component.licence.as_ref().map(|licence| {
        Licenses(vec![match licence {
            Licence::Expression(expression) => LicenseChoice::expression(expression),
            Licence::Words(words) => {
                LicenseChoice::License(cyclonedx_bom::models::license::License::named_license(words))
            }
        }])
    });
    part.supplier = component.supplier.as_deref().map(|name| OrganizationalEntity {
        bom_ref: None,
        name: Some(NormalizedString::new(name)),
        url: None,
        contact: None,
    });
    let links = [
        (ExternalReferenceType::Website, &component.homepage, None),
        (ExternalReferenceType::Distribution, &component.url, component.sha256.map(|digest| hashes(&digest))),
    ];
    let links = links.into_iter().filter_map(|(kind, url, hashes)| {
        let url = url.as_deref().filter(|url| sbom::is_link(url))?;
        Some(ExternalReference {
            external_reference_type: kind,
            url: cyclonedx_bom::models::external_reference::Uri::Url(Uri::new(url)),
            comment: None,
            hashes,
        })
    });
    let links: Vec<ExternalReference> = links.collect();
    part.external_references = (!links.is_empty()).then_some(ExternalReferences(links));
    part.cpe = component.cpe.clone().map(Cpe::from);
    let occurrences: Vec<Occurrence> =
        locations(bill, component).into_iter().map(|location| Occurrence { bom_ref: None, location }).collect();
    part.evidence = (!occurrences.is_empty()).then_some(ComponentEvidence {
        licenses: None,
        copyright: None,
        occurrences: Some(Occurrences(occurrences)),
        callstack: None,
        identity: None,
    });
    let layer = component.layer.and_then(|layer| bill.image.layers.get(layer as usize));
    let properties = [
        ("clnstrt:layer", layer.map(ToString::to_string)),
        ("clnstrt:file", component.file.clone()),
        ("clnstrt:verification", component.verification.map(str::to_owned)),
        ("clnstrt:built-here", component.built_here.then(|| "true".to_owned())),
        ("clnstrt:source", component.source.as_ref().map(|(name, version)| format!("{name} {version}"))),
        ("clnstrt:part-of", component.holder.and_then(|holder| Some(bill.components.get(holder)?.id.clone()))),
    ];
    let properties: Vec<Property> =
        properties.into_iter().filter_map(|(name, value)| Some(Property::new(name, &value?))).collect();
    part.properties = (!properties.is_empty()).then_some(Properties(properties));
    part
}

/// The files of a component, with the way to it where it is in an archive.
fn locations(bill: &Bill<'_>, component: &Component) -> Vec<String> {
    let inside = component.inside.iter().map(|member| format!("!/{member}")).collect::<String>();
    let items = component.files.iter().filter_map(|at| bill.inventory.items.get(*at));
    items.map(|item| sbom::absolute(&item.path) + &inside).collect()
}

fn hashes(digest: &Digest) -> Hashes {
    Hashes(vec![Hash { alg: HashAlgorithm::SHA_256, content: HashValue(digest.hex()) }])
}
