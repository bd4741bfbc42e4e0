use std::collections::BTreeSet;

use super::catalogue::Catalogue;
use crate::Need;

/// How many versions a project may turn out not to fit before more of them are looked at at once.
const PATIENCE: usize = 2;
/// The most versions that are looked at ahead.
const MOST: usize = 64;

/// Adds what will likely be needed next. A search that goes back version by version would otherwise take a round for
/// each: as many are added as were seen already.
pub(super) fn with_likely(needs: Vec<Need>, catalogue: &Catalogue<'_>) -> Vec<Need> {
    let mut all: BTreeSet<Need> = needs.iter().cloned().collect();
    for need in &needs {
        let Need::PypiMetadata { name, sha256, .. } = need else { continue };
        for arch in catalogue.platforms.keys() {
            let Ok(offers) = catalogue.offers(name, *arch) else { continue };
            // whole source distributions are too much to be fetched in the hope that they are needed
            let dists = offers.list.iter().filter_map(|offer| offer.dist.as_ref().ok());
            let wheels: Vec<_> = dists.filter(|dist| !dist.is_source()).collect();
            let seen = wheels.iter().filter(|wheel| catalogue.metadata(name, wheel).is_ok()).count();
            if seen < PATIENCE {
                continue;
            }
            let next = wheels.iter().skip_while(|wheel| wheel.sha256 != *sha256);
            let unseen = next.filter_map(|wheel| catalogue.metadata(name, wheel).err());
            all.extend(unseen.take(seen.min(MOST)));
        }
    }
    all.into_iter().collect()
}
