//! Licences as alternatives, so that a rule in any evaluator of Rego can judge an SPDX expression.

use spdx::expression::{ExprNode, Operator};
use spdx::{Expression, ParseMode};

/// More alternatives than any real expression has; beyond, nothing is said.
const MOST: usize = 64;

/// The alternatives of an SPDX expression, of which one is enough; each names licences that all apply. `None` where it is no SPDX
/// expression (SPDX specification, annex D), or one with too many alternatives.
pub fn licence_choices(expression: &str) -> Option<Vec<Vec<String>>> {
    let expression = Expression::parse_mode(expression, ParseMode::STRICT).ok()?;
    let mut open: Vec<Vec<Vec<String>>> = Vec::new();
    for node in expression.iter() {
        let choices = match node {
            ExprNode::Req(wanted) => vec![vec![wanted.req.to_string()]],
            ExprNode::Op(operator) => {
                let (right, left) = (open.pop()?, open.pop()?);
                match operator {
                    Operator::Or => [left, right].concat(),
                    Operator::And => {
                        let both = |left: &Vec<String>| {
                            right.iter().map(|right| [left.clone(), right.clone()].concat()).collect::<Vec<_>>()
                        };
                        left.iter().flat_map(both).collect()
                    }
                }
            }
        };
        if choices.len() > MOST {
            return None;
        }
        open.push(choices);
    }
    let mut choices = open.pop()?;
    for choice in &mut choices {
        choice.sort();
        choice.dedup();
    }
    choices.sort();
    choices.dedup();
    Some(choices)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alternatives_of_expressions() {
        let choices =
            |text| licence_choices(text).map(|all| all.iter().map(|one| one.join("&")).collect::<Vec<_>>().join("|"));
        assert_eq!(choices("MIT").unwrap(), "MIT");
        assert_eq!(choices("MIT AND (Zlib OR BSD-3-Clause)").unwrap(), "BSD-3-Clause&MIT|MIT&Zlib");
        assert_eq!(choices("MIT OR MIT").unwrap(), "MIT");
        assert_eq!(
            choices("GPL-2.0-only WITH Classpath-exception-2.0").unwrap(),
            "GPL-2.0-only WITH Classpath-exception-2.0"
        );
        assert_eq!(choices("BSD"), None);
        assert_eq!(choices(""), None);
        let many = ["(MIT OR Zlib)"; 10].join(" AND ");
        assert_eq!(choices(&many), None);
    }
}
