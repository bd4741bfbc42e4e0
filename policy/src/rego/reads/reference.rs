//! References: from a name to the fact or rule it leads to.

use regorus::unstable::{self as ast, Expr, Rule};

use super::super::{path, text};
use super::look::{Look, Variables};
use super::value::Value;
use super::{Named, shown};
use crate::check;

impl Look<'_, '_> {
    pub(super) fn reference(&mut self, expr: &Expr, variables: &mut Variables) -> Value {
        if let Some(names) = self.in_packages(expr, variables) {
            return self.data(&names, expr);
        }
        match expr {
            Expr::Var { span, .. } => self.variable(span, variables),
            Expr::RefDot { refr, field, .. } => {
                let of = self.reference(refr, variables);
                self.field(&of, field.0.text(), &field.0)
            }
            Expr::RefBrack { refr, index, .. } => {
                let of = self.reference(refr, variables);
                if let Some(name) = text(index) {
                    return self.field(&of, name, index.span());
                }
                self.index(index, &of, variables);
                if let Some((fact, read)) = of.only()
                    && fact.any().is_none()
                    && fact.names().next().is_none()
                {
                    let finding = check::unknown_fact(&fact, &shown(read), index.span().text(), self.at(index.span()));
                    self.find(finding);
                }
                of.inside()
            }
            // `f(x).name`, `[…][i]`
            _ => self.expr(expr, variables),
        }
    }

    /// What stands in brackets: variables in it that have no value take one.
    fn index(&mut self, index: &Expr, of: &Value, variables: &mut Variables) {
        if self.is_open(index, variables) {
            self.iterated(of);
            self.bind(index, of.keys(), variables);
        } else {
            self.taken(index, variables);
        }
    }

    /// Whether a name means something here.
    pub(super) fn is_bound(&self, name: &str, variables: &Variables) -> bool {
        name == "input"
            || name == "data"
            || variables.contains_key(name)
            || self
                .analysis
                .modules
                .get(self.module)
                .is_some_and(|module| self.analysis.rules.contains_key(&(module.package.clone(), name.to_owned())))
            || self.import(name).is_some()
    }

    /// A field; one that its fact has not, is found.
    pub(super) fn field(&mut self, of: &Value, name: &str, span: &ast::Span) -> Value {
        if let Some((fact, read)) = of.only()
            && fact.field(name).is_none()
        {
            let finding = check::unknown_fact(&fact, &shown(read), name, self.at(span));
            self.find(finding);
            return Value::other();
        }
        of.field(name)
    }

    fn variable(&mut self, span: &ast::Span, variables: &Variables) -> Value {
        let name = span.text();
        if let Some(of) = variables.get(name) {
            return of.clone();
        }
        if name == "input" {
            return Value::input();
        }
        let Some(module) = self.analysis.modules.get(self.module) else { return Value::other() };
        let own = (module.package.clone(), name.to_owned());
        if self.analysis.rules.contains_key(&own) {
            return self.named(&own, &[]);
        }
        match self.import(name).as_deref() {
            Some([first, fields @ ..]) if first == "input" => {
                fields.iter().fold(Value::input(), |of, name| self.field(&of, name, span))
            }
            Some(_) => Value::other(),
            None => {
                if self.in_head && name != "_" {
                    let finding = check::unbound(name, self.at(span));
                    self.find(finding);
                }
                self.early.insert(name.to_owned());
                Value::default()
            }
        }
    }

    /// The names below `data` of a reference to a package or into it, itself or through an import.
    fn in_packages(&self, expr: &Expr, variables: &Variables) -> Option<Vec<String>> {
        let names = path(expr)?;
        let (first, rest) = names.split_first()?;
        let is_own = |name: &String| {
            let module = self.analysis.modules.get(self.module);
            module.is_some_and(|module| self.analysis.rules.contains_key(&(module.package.clone(), name.clone())))
        };
        if variables.contains_key(first) || is_own(first) {
            return None;
        }
        if first == "data" {
            return Some(rest.to_vec());
        }
        let imported = self.import(first)?;
        let (root, package) = imported.split_first()?;
        (root == "data").then(|| package.iter().chain(rest).cloned().collect())
    }

    /// What an import gives a name, from its root on.
    pub(super) fn import(&self, alias: &str) -> Option<Vec<String>> {
        let module = self.analysis.modules.get(self.module)?;
        module.tree.imports.iter().find_map(|import| {
            let names = path(&import.refr)?;
            let known = import.r#as.as_ref().map_or(names.last()?.as_str(), |known| known.text());
            let is_data = names.first().is_some_and(|root| root == "data" || root == "input");
            (known == alias && is_data).then_some(names)
        })
    }

    /// A reference into the packages: the rule it leads to with what follows it, or all rules of a package and those below.
    fn data(&mut self, names: &[String], expr: &Expr) -> Value {
        let is_rule = |at: &usize| {
            let (package, rest) = names.split_at(*at);
            rest.first().is_some_and(|name| self.analysis.rules.contains_key(&(package.to_vec(), name.clone())))
        };
        let rule = (0..names.len()).rev().find(is_rule).and_then(|at| {
            let (package, rest) = names.split_at(at);
            let (name, fields) = rest.split_first()?;
            let rule = self.named(&(package.to_vec(), name.clone()), &[]);
            Some(fields.iter().fold(rule, |of, name| self.field(&of, name, expr.span())))
        });
        let below: Vec<Named> =
            self.analysis.rules.keys().filter(|(package, _)| package.starts_with(names)).cloned().collect();
        if rule.is_none() && below.is_empty() {
            let known = self.analysis.rules.keys().map(|(_, name)| name.as_str());
            let finding = check::unknown_rule(names, known, self.at(expr.span()));
            self.find(finding);
        }
        // A package is an object of its rules and of the packages below.
        let below = below.iter().map(|rule| {
            let value = self.named(rule, &[]);
            (names.len()..=rule.0.len()).fold(value, |value, _| Value::of([value]))
        });
        below.fold(rule.unwrap_or_default(), Value::or)
    }

    /// Looks into all rules of a name, and says what their value is.
    pub(super) fn named(&mut self, named: &Named, arguments: &[Value]) -> Value {
        let rules = self.analysis.rules.get(named).cloned().unwrap_or_default();
        if self.open.contains(named) {
            if let Some((module, rule)) = rules.first() {
                let before = std::mem::replace(&mut self.module, *module);
                let finding = check::recursion(&named.1, self.at(rule.span()));
                self.module = before;
                self.find(finding);
            }
            return Value::other();
        }
        let key = (named.clone(), arguments.to_vec());
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let outer = (self.module, std::mem::replace(&mut self.in_head, false), std::mem::take(&mut self.early));
        self.open.push(named.clone());
        let mut each = |(module, rule): &(usize, ast::Ref<Rule>)| {
            self.module = *module;
            self.rule(rule, arguments)
        };
        let value = rules.iter().map(&mut each).fold(Value::default(), Value::or);
        self.open.pop();
        (self.module, self.in_head, self.early) = outer;
        self.known.insert(key, value.clone());
        value
    }
}
