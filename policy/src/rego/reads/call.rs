//! Calls of functions: those of policies are looked into, and those of the evaluator take what they are given whole.

use regorus::unstable::{self as ast, Expr, Ref, Rule, RuleHead};

use super::super::{path, text};
use super::Named;
use super::look::{Look, Variables};
use super::value::Value;
use crate::builtins;
use crate::check;
use crate::facts::Kind;

impl Look<'_, '_> {
    pub(super) fn call(
        &mut self,
        span: &ast::Span,
        fcn: &Expr,
        params: &[Ref<Expr>],
        variables: &mut Variables,
    ) -> Value {
        let Some(names) = path(fcn) else {
            params.iter().for_each(|param| drop(self.taken(param, variables)));
            return Value::other();
        };
        let own = self.function(&names);
        let name = names.join(".");
        let takes = match &own {
            Some(own) => self.takes(own),
            None => builtins::arguments(&name),
        };
        // One more is what the result is to be equal to.
        let (params, result) = match (takes, params.split_last()) {
            (Some(takes), Some((last, given))) if takes == given.len() => (given, Some(last)),
            _ => (params, None),
        };
        let arguments: Vec<Value> = params.iter().map(|param| self.expr(param, variables)).collect();
        let value = match own {
            Some(own) => self.named(&own, &arguments),
            None => self.builtin(&name, takes, (span, fcn.span()), params, &arguments),
        };
        if let Some(result) = result {
            self.bind(result, value, variables);
            return Value::other();
        }
        value
    }

    fn builtin(
        &mut self,
        name: &str,
        takes: Option<usize>,
        (call, function): (&ast::Span, &ast::Span),
        params: &[Ref<Expr>],
        arguments: &[Value],
    ) -> Value {
        match takes {
            Some(takes) if takes != params.len() => {
                let finding = check::arity(name, takes, params.len(), self.at(call));
                self.find(finding);
            }
            Some(_) => {}
            None => {
                let own = self.analysis.rules.keys().map(|(_, name)| name.as_str());
                let finding = check::unknown(name, own, self.at(function));
                self.find(finding);
            }
        }
        match (name, params, arguments) {
            ("object.get", [_, key, _], [object, _, otherwise]) => {
                if let Some(keys) = keys(key) {
                    let fold = |of: Value, (name, span): (&str, _)| self.field(&of, name, span);
                    let found = keys.into_iter().fold(object.clone(), fold);
                    return found.or(otherwise.clone());
                }
            }
            // How many they are says nothing of what is in them.
            ("count", _, [of])
                if !of.is_set() && of.facts().all(|(fact, _)| matches!(fact.schema.kind(), Kind::List(_))) =>
            {
                return Value::other();
            }
            ("sprintf", [format, ..], _) => {
                if let Some(finding) = check::format(format, self.at(format.span())) {
                    self.find(finding);
                }
            }
            _ => {}
        }
        arguments.iter().for_each(|argument| self.escape(argument));
        Value::other()
    }

    /// The function of a policy that a call means.
    fn function(&self, names: &[String]) -> Option<Named> {
        let own = match names {
            [name] => {
                let own = self.analysis.modules.get(self.module).map(|module| (module.package.clone(), name.clone()));
                let imported = || {
                    let mut package = self.import(name)?.split_off(1);
                    package.pop().map(|name| (package, name))
                };
                own.filter(|own| self.analysis.rules.contains_key(own)).or_else(imported)
            }
            [data, package @ .., name] if data == "data" => Some((package.to_vec(), name.clone())),
            [alias, inner @ .., name] => {
                let mut package = self.import(alias)?.split_off(1);
                package.extend_from_slice(inner);
                Some((package, name.clone()))
            }
            [] => None,
        };
        // `lib.f` may as well be a function in this package.
        let nested = || {
            let module = self.analysis.modules.get(self.module)?;
            Some((module.package.clone(), names.first()?.clone()))
        };
        let own = own.filter(|own| self.analysis.rules.contains_key(own)).or_else(nested);
        own.filter(|own| self.analysis.rules.contains_key(own))
    }

    fn takes(&self, function: &Named) -> Option<usize> {
        self.analysis.rules.get(function)?.iter().find_map(|(_, rule)| match &**rule {
            Rule::Spec { head: RuleHead::Func { args, .. }, .. } => Some(args.len()),
            _ => None,
        })
    }
}

/// The path that is written out as the key of `object.get`: one name, or a list of them.
fn keys(key: &Expr) -> Option<Vec<(&str, &ast::Span)>> {
    let one = |expr| text(expr).map(|name| (name, Expr::span(expr)));
    match key {
        Expr::Array { items, .. } => items.iter().map(|item| one(item)).collect(),
        _ => Some(vec![one(key)?]),
    }
}
