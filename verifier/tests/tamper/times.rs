//! What is old, or from the future.

use serde_json::json;

use crate::world::{MAX_AGE, NOW, World, time};
use crate::{Matrix, Wanted, items, replaced, signed};

pub(crate) fn add(matrix: &mut Matrix) {
    let all = items();
    let places = [
        ("vulnerabilities", "/predicate/metadata/scanFinishedOn", "scan"),
        ("vex", "/predicate/timestamp", "VEX document"),
        ("tests", "/predicate/finishedOn", "test report"),
    ];
    for (check, place, _) in places {
        let number = all.iter().position(|item| item.check == check).unwrap();
        for days in [31, 32, 45, 60, 90, 180, 365, 3650] {
            let mut statement = all[number].statement.clone();
            *statement.pointer_mut(place).unwrap() = json!(time(NOW - days * 86_400));
            let world = replaced(number, &signed(&statement));
            matrix.add(
                "an older one is replayed",
                format!("{check} of {days} days ago"),
                world,
                Wanted::Refused(check, &["is older than"]),
            );
            // Beside the one that is meant, it changes nothing.
            let mut world = World::good();
            world.referrers.get_mut(&all[number].at).unwrap().reverse();
            world.attach(&all[number].at, &signed(&statement));
            world.referrers.get_mut(&all[number].at).unwrap().reverse();
            matrix.add("an older one is added", format!("{check} of {days} days ago"), world, Wanted::Unchanged);
        }
        for ahead in [301, 3600, 86_400, 31_536_000, 400_000_000] {
            let mut statement = all[number].statement.clone();
            *statement.pointer_mut(place).unwrap() = json!(time(NOW + ahead));
            let world = replaced(number, &signed(&statement));
            matrix.add(
                "from the future",
                format!("{check} by {ahead} s"),
                world,
                Wanted::Refused(check, &["from the future"]),
            );
        }
    }
    let number = all.iter().position(|item| item.check == "provenance").unwrap();
    for ahead in [301, 3600, 7200, 86_400, 604_800, 31_536_000, 400_000_000] {
        let mut statement = all[number].statement.clone();
        statement["predicate"]["runDetails"]["metadata"]["finishedOn"] = json!(time(NOW + ahead));
        let world = replaced(number, &signed(&statement));
        matrix.add(
            "from the future",
            format!("provenance by {ahead} s"),
            world,
            Wanted::Refused("provenance", &["in the future"]),
        );
    }
    for days in 30..55 {
        let now = NOW + days * 86_400;
        matrix.at(
            "expired",
            format!("after {days} days"),
            World::good(),
            now,
            Wanted::Refused("vulnerabilities", &["is older than"]),
        );
    }
    assert_eq!(MAX_AGE, 30 * 86_400);
}
