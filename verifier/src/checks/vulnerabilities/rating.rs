//! How bad something is: words, scores, and the vectors of CVSS.

use cvss::Cvss;
use serde_json::Value;

/// What a vector has to have, in each version: of version 3 the library takes those that have less, as if they were harmless.
const BASE: [&str; 8] = ["AV:", "AC:", "PR:", "UI:", "S:", "C:", "I:", "A:"];
/// Characters of a vector.
const LONGEST: usize = 512;

/// A rating: the word for it, and the score where there is one.
pub(super) type Rating = (&'static str, Option<f64>);

/// The worst of several ratings; nothing makes up for one that cannot be read.
pub(super) fn worst(ratings: &[Value]) -> Rating {
    let each = ratings.iter().map(|rating| rating.get("score").map_or(("unknown", None), read));
    each.max_by_key(|(word, _)| rank(word)).unwrap_or(("unknown", None))
}

fn read(score: &Value) -> Rating {
    let text = score.as_str().map(str::trim);
    let number = score.as_f64().or_else(|| text?.parse().ok());
    match (number, text) {
        (Some(number), _) => (of_score(number), (0.0..=10.0).contains(&number).then_some(number)),
        // A vector says something, and it may be anything.
        (None, Some(text)) if text.contains("AV:") || text.starts_with("CVSS") => {
            of_vector(text).map_or(("critical", None), |score| (of_score(score), Some(score)))
        }
        (None, text) => (text.map_or("unknown", of_word), None),
    }
}

/// The score of a vector of CVSS 2, 3 or 4.
fn of_vector(text: &str) -> Option<f64> {
    let has = |name: &&str| text.split('/').any(|part| part.starts_with(*name));
    if text.len() > LONGEST || text.starts_with("CVSS:3") && !BASE.iter().all(has) {
        return None;
    }
    Some(text.parse::<Cvss>().ok()?.score())
}

/// The word for a CVSS score (CVSS 3.1, "Qualitative Severity Rating Scale").
fn of_score(score: f64) -> &'static str {
    match score {
        score if score >= 9.0 => "critical",
        score if score >= 7.0 => "high",
        score if score >= 4.0 => "medium",
        score if score > 0.0 => "low",
        0.0 => "none",
        _ => "unknown",
    }
}

pub(super) fn of_word(word: &str) -> &'static str {
    match word.to_ascii_lowercase().as_str() {
        "critical" => "critical",
        "high" | "important" => "high",
        "medium" | "moderate" => "medium",
        "low" => "low",
        "none" | "negligible" | "info" => "none",
        _ => "unknown",
    }
}

/// The worse, the more. What nobody rated may be anything.
pub(super) fn rank(severity: &str) -> usize {
    ["none", "low", "medium", "unknown", "high", "critical"].iter().position(|word| *word == severity).unwrap_or(3)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn is(score: Value, wanted: &str) {
        assert_eq!(worst(&[json!({ "score": score })]).0, wanted, "{score}");
    }

    #[test]
    fn vectors_are_computed() {
        for (vector, wanted) in [
            ("AV:N/AC:L/Au:N/C:C/I:C/A:C", "critical"),
            ("AV:N/AC:L/Au:N/C:P/I:N/A:N", "medium"),
            ("CVSS:3.0/AV:N/AC:L/PR:N/UI:R/S:C/C:H/I:H/A:H", "critical"),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "critical"),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", "high"),
            ("CVSS:3.1/AV:A/AC:H/PR:L/UI:N/S:U/C:L/I:L/A:N", "low"),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", "none"),
            ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H", "critical"),
            ("CVSS:4.0/AV:N/AC:L/AT:N/PR:H/UI:N/VC:L/VI:L/VA:N/SC:N/SI:N/SA:N", "medium"),
        ] {
            is(json!(vector), wanted);
        }
    }

    #[test]
    fn what_is_no_vector_quite_is_the_worst() {
        for vector in [
            "CVSS:3.1/AV:N",
            "CVSS:3.1/E:X",
            "CVSS:3.1",
            "CVSS:4.0/AV:N",
            "CVSS:9.9/AV:N/AC:L",
            "AV:N/AC:L",
            "(AV:N/AC:L/Au:N/C:P/I:N/A:N)",
            "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N/X:Y",
            "CVSS:3.1/MAV:N/MAC:L/MPR:N/MUI:N/MS:U/MC:N/MI:N/MA:N",
        ] {
            is(json!(vector), "critical");
        }
        let long = format!("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N{}", "/E:X".repeat(500));
        is(json!(long), "critical");
    }

    #[test]
    fn nothing_makes_up_for_what_cannot_be_read() {
        for (scores, wanted) in [
            (json!(["1.0", "x"]), "unknown"),
            (json!(["x", "1.0"]), "unknown"),
            (json!(["x", "none"]), "unknown"),
            (json!([{}, 5.0]), "unknown"),
            (json!(["NaN", 5.0]), "unknown"),
            (json!(["x", 9.5]), "critical"),
            (json!(["CVSS:3.1/AV:N", 2.0]), "critical"),
            (json!([2.0, "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"]), "critical"),
            (json!([]), "unknown"),
        ] {
            let ratings: Vec<Value> =
                scores.as_array().unwrap().iter().map(|score| json!({ "score": score })).collect();
            assert_eq!(worst(&ratings).0, wanted, "{scores}");
        }
        assert_eq!(worst(&[json!({}), json!({ "score": 1.0 })]).0, "unknown");
    }
}
