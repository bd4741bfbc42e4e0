//! Debian versions: `[epoch:]upstream[-revision]` and their order (Debian Policy §5.6.12, deb-version(7)).

use std::cmp::Ordering;

use model::config::Relation;

/// Whether a text is a version: an epoch of digits, then ASCII letters, digits and `. + - ~ :`, starting with a digit.
pub fn is_valid(text: &str) -> bool {
    let (epoch, upstream, revision) = parts(text);
    let known = |b: u8, more: &[u8]| b.is_ascii_alphanumeric() || more.contains(&b);
    epoch.is_none_or(|epoch| epoch.parse::<u32>().is_ok() && epoch.bytes().all(|b| b.is_ascii_digit()))
        && upstream.bytes().next().is_some_and(|b| b.is_ascii_digit())
        && upstream.bytes().all(|b| known(b, b".+-~:"))
        && revision.is_none_or(|revision| !revision.is_empty() && revision.bytes().all(|b| known(b, b".+~")))
}

/// The order of two versions. Total on any text, so that hostile ones can be sorted too.
pub fn compare(a: &str, b: &str) -> Ordering {
    let (epoch_a, upstream_a, revision_a) = parts(a);
    let (epoch_b, upstream_b, revision_b) = parts(b);
    compare_part(epoch_a.unwrap_or(""), epoch_b.unwrap_or(""))
        .then_with(|| compare_part(upstream_a, upstream_b))
        .then_with(|| compare_part(revision_a.unwrap_or(""), revision_b.unwrap_or("")))
}

/// Whether `version` stands in `relation` to `bound`.
pub fn satisfies(version: &str, relation: Relation, bound: &str) -> bool {
    let order = compare(version, bound);
    match relation {
        Relation::Earlier => order.is_lt(),
        Relation::EarlierOrEqual => order.is_le(),
        Relation::Equal => order.is_eq(),
        Relation::LaterOrEqual => order.is_ge(),
        Relation::Later => order.is_gt(),
    }
}

fn parts(text: &str) -> (Option<&str>, &str, Option<&str>) {
    let (epoch, rest) = text.split_once(':').map_or((None, text), |(epoch, rest)| (Some(epoch), rest));
    let (upstream, revision) = rest.rsplit_once('-').map_or((rest, None), |(up, revision)| (up, Some(revision)));
    (epoch, upstream, revision)
}

/// Runs of other characters and runs of digits in turn; an absent number is zero, `~` is before the end.
fn compare_part(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    while !a.is_empty() || !b.is_empty() {
        let (text_a, rest_a) = split_while(a, |b| !b.is_ascii_digit());
        let (text_b, rest_b) = split_while(b, |b| !b.is_ascii_digit());
        let (number_a, rest_a) = split_while(rest_a, |b| b.is_ascii_digit());
        let (number_b, rest_b) = split_while(rest_b, |b| b.is_ascii_digit());
        let order = compare_text(text_a, text_b).then_with(|| compare_number(number_a, number_b));
        if order.is_ne() {
            return order;
        }
        (a, b) = (rest_a, rest_b);
    }
    Ordering::Equal
}

fn split_while(bytes: &[u8], belongs: impl Fn(u8) -> bool) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|b| !belongs(*b)).unwrap_or(bytes.len());
    bytes.split_at_checked(end).unwrap_or((bytes, &[]))
}

fn compare_text(a: &[u8], b: &[u8]) -> Ordering {
    let weight = |bytes: &[u8], at: usize| match bytes.get(at) {
        None => 0,
        Some(b'~') => -1,
        Some(letter) if letter.is_ascii_alphabetic() => i32::from(*letter),
        Some(other) => i32::from(*other) + 256,
    };
    let length = a.len().max(b.len());
    (0..length).map(|at| weight(a, at).cmp(&weight(b, at))).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

fn compare_number(a: &[u8], b: &[u8]) -> Ordering {
    let (_, a) = split_while(a, |digit| digit == b'0');
    let (_, b) = split_while(b, |digit| digit == b'0');
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Each line `A < B` or `A = B`, as `dpkg --compare-versions` answered.
    #[test]
    fn versions_are_ordered_as_dpkg_orders_them() {
        let cases = include_str!("../../../tests/debian/versions.txt");
        for line in cases.lines().filter(|line| !line.starts_with('#')) {
            let [a, sign, b] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
            let expected = if sign == "<" { Ordering::Less } else { Ordering::Equal };
            assert_eq!(compare(a, b), expected, "{line}");
            assert_eq!(compare(b, a), expected.reverse(), "{line}");
            assert!(is_valid(a) && is_valid(b), "{line}");
        }
    }

    #[test]
    fn texts_that_are_no_version_are_refused() {
        for bad in ["", "-1", "1-", ":1", "a:1", "+1:1", "1 2", "1_2", "4294967296:1", "~1", "a1", "1:", "é"] {
            assert!(!is_valid(bad), "{bad}");
        }
    }

    #[test]
    fn each_relation_means_what_policy_says() {
        use Relation::*;
        let all = [Earlier, EarlierOrEqual, Equal, LaterOrEqual, Later];
        let held = |version| all.map(|relation| satisfies(version, relation, "2-1"));
        assert_eq!(held("2-1~rc"), [true, true, false, false, false]);
        assert_eq!(held("0:2-1"), [false, true, true, true, false]);
        assert_eq!(held("1:0"), [false, false, false, true, true]);
    }

    proptest! {
        #[test]
        fn the_order_is_total(a in "[0-9a:~.-]{0,8}", b in "[0-9a:~.-]{0,8}", c in "[0-9a:~.-]{0,8}") {
            prop_assert_eq!(compare(&a, &b), compare(&b, &a).reverse());
            prop_assert_eq!(compare(&a, &a), Ordering::Equal);
            if compare(&a, &b).is_le() && compare(&b, &c).is_le() {
                prop_assert!(compare(&a, &c).is_le());
            }
        }

        #[test]
        fn a_tilde_makes_earlier_and_any_other_suffix_later(version in "[0-9]{1,3}(\\.[0-9]{1,3}){0,2}", tail in "[a-z1-9+.]{1,4}") {
            prop_assert_eq!(compare(&format!("{version}~{tail}"), &version), Ordering::Less);
            prop_assert_eq!(compare(&format!("{version}+{tail}"), &version), Ordering::Greater);
        }

        #[test]
        fn numbers_of_any_length_are_compared_as_numbers(a in "[1-9][0-9]{0,40}", zeros in "0{0,30}") {
            prop_assert_eq!(compare(&a, &format!("{zeros}{a}")), Ordering::Equal);
            prop_assert_eq!(compare(&a, &format!("{a}0")), Ordering::Less);
        }

        #[test]
        fn any_text_is_compared_without_panic(a in ".{0,20}", b in ".{0,20}") {
            let _ = (compare(&a, &b), is_valid(&a));
        }
    }
}
