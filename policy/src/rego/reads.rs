//! Which facts a clause reads, itself and through the rules and functions it uses, and what is wrong with how it does. This
//! follows variables from where they are bound to where they are used, as far as that can be seen without evaluating.

use std::collections::{BTreeMap, BTreeSet};

use model::{Finding, Span};
use regorus::unstable::{AssignOp, BoolOp, Expr, Literal, LiteralStmt, Query, Ref, Rule, RuleBody, RuleHead};
use serde_json::Value;

use super::{Clause, Module, path, text};
use crate::builtins;
use crate::check::{self, Term};
use crate::facts::{Fact, Stage, schema};

/// More rules and functions are not looked into for one clause; a function is looked into once for each kind of arguments.
const MOST_VISITS: usize = 20_000;
/// Expressions in expressions are not looked into deeper.
const MOST_DEPTH: usize = 200;

/// One step to a fact.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    /// The fact of a name.
    Name(String),
    /// Whatever is in a list or map.
    Any,
}

/// A fact that is read.
pub(crate) type Read = Vec<Step>;

/// What a clause reads.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reads {
    pub(crate) facts: BTreeSet<Read>,
    /// The first stage at which all of it can be known.
    pub(crate) stage: Stage,
}

/// What is known of the value of an expression.
#[derive(Clone)]
enum Type {
    /// It is a fact.
    Fact(Fact<'static>, Read),
    /// Nothing.
    Unknown,
}

impl Type {
    /// What tells arguments of different kinds apart.
    fn key(&self) -> Option<&Read> {
        match self {
            Type::Fact(_, read) => Some(read),
            Type::Unknown => None,
        }
    }
}

type Variables = BTreeMap<String, Type>;

/// The rules of one name in a package.
type Named = (Vec<String>, String);

/// All modules together.
pub(crate) struct Analysis<'m> {
    modules: &'m [Module],
    /// Rules by package and name, with the module each is in.
    rules: BTreeMap<Named, Vec<(usize, Ref<Rule>)>>,
    found: Vec<Finding>,
}

/// The look at one clause.
struct Look<'a, 'm> {
    analysis: &'a mut Analysis<'m>,
    reads: Reads,
    /// Rules that were looked into, with the kinds of their arguments.
    seen: BTreeSet<(Named, Vec<Option<Read>>)>,
    /// Rules that are being looked into.
    open: Vec<Named>,
    /// Which module the look is in.
    module: usize,
    depth: usize,
    /// In a head every variable has its value from the body.
    in_head: bool,
}

impl<'m> Analysis<'m> {
    pub(crate) fn new(modules: &'m [Module]) -> Self {
        let mut rules: BTreeMap<Named, Vec<(usize, Ref<Rule>)>> = BTreeMap::new();
        for (number, module) in modules.iter().enumerate() {
            for rule in &module.tree.policy {
                if let Some(name) = name_of(rule) {
                    rules.entry((module.package.clone(), name)).or_default().push((number, rule.clone()));
                }
            }
        }
        Self { modules, rules, found: Vec::new() }
    }

    /// What a clause of a module reads.
    pub(crate) fn reads(&mut self, module: usize, clause: &Clause) -> Reads {
        self.look(module, clause.rule.clone())
    }

    /// Looks at the rules that no clause uses too, for what is wrong with them.
    pub(crate) fn rest(&mut self) {
        let all: Vec<_> = self.rules.values().flatten().cloned().collect();
        for (module, rule) in all {
            let is_function = matches!(&*rule, Rule::Spec { head: RuleHead::Func { .. }, .. });
            if !is_function {
                self.look(module, rule);
            }
        }
    }

    fn look(&mut self, module: usize, rule: Ref<Rule>) -> Reads {
        let mut look = Look {
            analysis: self,
            reads: Reads::default(),
            seen: BTreeSet::new(),
            open: Vec::new(),
            module,
            depth: 0,
            in_head: false,
        };
        look.rule(&rule, &[]);
        look.reads
    }

    /// What is wrong, each once.
    pub(crate) fn into_findings(self) -> Vec<Finding> {
        let mut found: Vec<Finding> = Vec::new();
        for finding in self.found {
            if !found.contains(&finding) {
                found.push(finding);
            }
        }
        found
    }
}

/// What a rule defines in its package: the first name of its head.
fn name_of(rule: &Rule) -> Option<String> {
    let refr = match rule {
        Rule::Spec {
            head: RuleHead::Set { refr, .. } | RuleHead::Compr { refr, .. } | RuleHead::Func { refr, .. },
            ..
        }
        | Rule::Default { refr, .. } => refr,
    };
    first(refr).map(str::to_owned)
}

fn first(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Var { span, .. } => Some(span.text()),
        Expr::RefDot { refr, .. } | Expr::RefBrack { refr, .. } => first(refr),
        _ => None,
    }
}

impl Look<'_, '_> {
    fn at(&self, span: &regorus::unstable::Span) -> Span {
        self.analysis.modules.get(self.module).map_or(Span::new(model::SourceId(0), 0, 0), |module| module.span(span))
    }

    fn find(&mut self, finding: Finding) {
        self.analysis.found.push(finding);
    }

    /// Looks into one rule with arguments, and says what its value is, where that is plain.
    fn rule(&mut self, rule: &Rule, arguments: &[Type]) -> Type {
        let mut variables = Variables::new();
        match rule {
            Rule::Default { value, .. } => {
                self.expr(value, &mut variables);
                Type::Unknown
            }
            Rule::Spec { head, bodies, .. } => {
                let assign = match head {
                    RuleHead::Func { args, assign, .. } => {
                        let types = arguments.iter().cloned().chain(std::iter::repeat(Type::Unknown));
                        for (arg, of) in args.iter().zip(types) {
                            self.bind(arg, of, &mut variables);
                        }
                        assign.as_ref()
                    }
                    RuleHead::Compr { assign, .. } => assign.as_ref(),
                    RuleHead::Set { .. } => None,
                };
                let mut value = Type::Unknown;
                if bodies.is_empty() {
                    value = self.head(head, assign.map(|assign| &*assign.value), &mut variables);
                }
                for body in bodies {
                    value = self.body(head, assign.map(|assign| &*assign.value), body, &variables);
                }
                if bodies.len() > 1 { Type::Unknown } else { value }
            }
        }
    }

    fn body(&mut self, head: &RuleHead, value: Option<&Expr>, body: &RuleBody, outer: &Variables) -> Type {
        let mut variables = outer.clone();
        self.query(&body.query, &mut variables);
        let value = body.assign.as_ref().map(|assign| &*assign.value).or(value);
        self.head(head, value, &mut variables)
    }

    /// What is in a head besides its name and arguments, and the value it gives.
    fn head(&mut self, head: &RuleHead, value: Option<&Expr>, variables: &mut Variables) -> Type {
        match head {
            RuleHead::Set { key, .. } => {
                if let Some(key) = key {
                    self.in_head = true;
                    self.expr(key, variables);
                    self.in_head = false;
                }
                Type::Unknown
            }
            RuleHead::Compr { refr, .. } | RuleHead::Func { refr, .. } => {
                let mut inner = &**refr;
                while let Expr::RefBrack { refr, index, .. } = inner {
                    self.expr(index, variables);
                    inner = refr;
                }
                value.map_or(Type::Unknown, |value| self.expr(value, variables))
            }
        }
    }

    fn query(&mut self, query: &Query, variables: &mut Variables) {
        let mut equal: Vec<(Read, Value, Span)> = Vec::new();
        for stmt in &query.stmts {
            self.statement(stmt, variables, &mut equal);
        }
    }

    fn statement(&mut self, stmt: &LiteralStmt, variables: &mut Variables, equal: &mut Vec<(Read, Value, Span)>) {
        if !stmt.with_mods.is_empty() {
            // Facts are other ones here.
            let mut other = variables.clone();
            for with in &stmt.with_mods {
                self.expr(&with.r#as, variables);
                if let Some(name) = first(&with.refr) {
                    other.insert(name.to_owned(), Type::Unknown);
                }
            }
            self.literal(&stmt.literal, &mut other, &mut Vec::new());
            return;
        }
        self.literal(&stmt.literal, variables, equal);
    }

    fn literal(&mut self, literal: &Literal, variables: &mut Variables, equal: &mut Vec<(Read, Value, Span)>) {
        match literal {
            Literal::SomeVars { vars, .. } => {
                for var in vars {
                    variables.insert(var.text().to_owned(), Type::Unknown);
                }
            }
            Literal::SomeIn { key, value, collection, .. } => {
                let of = self.expr(collection, variables);
                if let Some(key) = key {
                    self.bind(key, Type::Unknown, variables);
                }
                self.bind(value, any(of), variables);
            }
            Literal::Expr { span, expr } => {
                let span = self.at(span);
                if let Some(finding) = check::is_false(expr, span) {
                    self.find(finding);
                }
                self.condition(expr, variables, equal);
            }
            Literal::NotExpr { expr, .. } => {
                self.condition(expr, &mut variables.clone(), &mut Vec::new());
            }
            Literal::Every { key, value, domain, query, .. } => {
                let of = self.expr(domain, variables);
                let mut inner = variables.clone();
                if let Some(key) = key {
                    inner.insert(key.text().to_owned(), Type::Unknown);
                }
                inner.insert(value.text().to_owned(), any(of));
                self.query(query, &mut inner);
            }
        }
    }

    /// A statement's expression, which may bind variables.
    fn condition(&mut self, expr: &Expr, variables: &mut Variables, equal: &mut Vec<(Read, Value, Span)>) {
        match expr {
            Expr::AssignExpr { span, op, lhs, rhs, .. } => {
                let of = self.expr(rhs, variables);
                if *op == AssignOp::Eq {
                    self.equation(span, lhs, rhs, variables, equal);
                }
                self.bind(lhs, of, variables);
            }
            Expr::BoolExpr { span, op: BoolOp::Eq, lhs, rhs, .. } => {
                self.expr(lhs, variables);
                self.expr(rhs, variables);
                self.equation(span, lhs, rhs, variables, equal);
            }
            _ => {
                self.expr(expr, variables);
            }
        }
    }

    fn equation(
        &mut self,
        span: &regorus::unstable::Span,
        lhs: &Expr,
        rhs: &Expr,
        variables: &mut Variables,
        equal: &mut Vec<(Read, Value, Span)>,
    ) {
        let span = self.at(span);
        let (Some((left, left_read)), Some((right, right_read))) =
            (self.term(lhs, variables), self.term(rhs, variables))
        else {
            return;
        };
        if let Some(finding) = check::compare(&left, &right, span) {
            self.find(finding);
            return;
        }
        let (read, value, name) = match (&left, &right, left_read, right_read) {
            (Term::Fact(_, name), Term::Literal(value), Some(read), _)
            | (Term::Literal(value), Term::Fact(_, name), _, Some(read)) => (read, value, name),
            _ => return,
        };
        // What is in a list may well be several things.
        if read.contains(&Step::Any) {
            return;
        }
        if let Some((_, other, before)) = equal.iter().find(|(known, other, _)| *known == read && other != value) {
            let finding = check::contradiction(name, other, value, span, *before);
            self.find(finding);
        }
        equal.push((read, value.clone(), span));
    }

    fn term(&mut self, expr: &Expr, variables: &Variables) -> Option<(Term<'static>, Option<Read>)> {
        if let Some(value) = check::literal(expr) {
            return Some((Term::Literal(value), None));
        }
        match self.peek(expr, variables) {
            Type::Fact(fact, read) => Some((Term::Fact(fact, shown(&read)), Some(read))),
            Type::Unknown => None,
        }
    }

    /// Gives the variables of a pattern what is known of them.
    fn bind(&mut self, pattern: &Expr, of: Type, variables: &mut Variables) {
        match pattern {
            Expr::Var { span, .. } => {
                let known = variables.entry(span.text().to_owned()).or_insert(Type::Unknown);
                if matches!(known, Type::Unknown) {
                    *known = of;
                }
            }
            Expr::Array { items, .. } | Expr::Set { items, .. } => {
                items.iter().for_each(|item| self.bind(item, Type::Unknown, variables));
            }
            Expr::Object { fields, .. } => {
                fields.iter().for_each(|(_, _, value)| self.bind(value, Type::Unknown, variables));
            }
            _ => {
                self.expr(pattern, variables);
            }
        }
    }

    /// Looks at an expression; a fact that it is, is read.
    fn expr(&mut self, expr: &Expr, variables: &mut Variables) -> Type {
        if self.depth == MOST_DEPTH {
            return Type::Unknown;
        }
        self.depth += 1;
        let of = self.inner(expr, variables);
        self.depth -= 1;
        if let (Type::Fact(fact, read), Expr::Var { .. } | Expr::RefDot { .. } | Expr::RefBrack { .. }) = (&of, expr) {
            self.reads.stage = self.reads.stage.max(fact.stage);
            self.reads.facts.insert(read.clone());
        }
        of
    }

    fn inner(&mut self, expr: &Expr, variables: &mut Variables) -> Type {
        match expr {
            Expr::Var { .. } | Expr::RefDot { .. } | Expr::RefBrack { .. } => return self.reference(expr, variables),
            Expr::Call { span, fcn, params, .. } => return self.call(span, fcn, params, variables),
            Expr::Array { items, .. } | Expr::Set { items, .. } => {
                items.iter().for_each(|item| drop(self.expr(item, variables)));
            }
            Expr::Object { fields, .. } => {
                for (_, key, value) in fields {
                    self.expr(key, variables);
                    self.expr(value, variables);
                }
            }
            Expr::ArrayCompr { term, query, .. } | Expr::SetCompr { term, query, .. } => {
                let mut inner = variables.clone();
                self.query(query, &mut inner);
                self.expr(term, &mut inner);
            }
            Expr::ObjectCompr { key, value, query, .. } => {
                let mut inner = variables.clone();
                self.query(query, &mut inner);
                self.expr(key, &mut inner);
                self.expr(value, &mut inner);
            }
            Expr::UnaryExpr { expr, .. } => drop(self.expr(expr, variables)),
            Expr::BinExpr { lhs, rhs, .. } | Expr::ArithExpr { lhs, rhs, .. } | Expr::BoolExpr { lhs, rhs, .. } => {
                self.expr(lhs, variables);
                self.expr(rhs, variables);
            }
            Expr::AssignExpr { lhs, rhs, .. } => {
                let of = self.expr(rhs, variables);
                self.bind(lhs, of, variables);
            }
            Expr::Membership { key, value, collection, .. } => {
                if let Some(key) = key {
                    self.expr(key, variables);
                }
                self.expr(value, variables);
                self.expr(collection, variables);
            }
            _ => {}
        }
        Type::Unknown
    }

    /// What a reference is, without reading it: only for what was looked at already.
    fn peek(&mut self, expr: &Expr, variables: &Variables) -> Type {
        match expr {
            Expr::Var { .. } | Expr::RefDot { .. } | Expr::RefBrack { .. } => {
                let found = self.analysis.found.len();
                let of = self.reference(expr, &mut variables.clone());
                self.analysis.found.truncate(found);
                of
            }
            _ => Type::Unknown,
        }
    }

    fn reference(&mut self, expr: &Expr, variables: &mut Variables) -> Type {
        // `data.clnstrt.policy.lib.rule`, as long as it may be
        if let Some(names) = path(expr)
            && names.first().is_some_and(|name| name == "data" && !variables.contains_key(name))
        {
            return self.data(&names, expr);
        }
        // An alias of a package, with the rule in it.
        if let Some(names) = path(expr)
            && let [alias, rest @ ..] = names.as_slice()
            && !rest.is_empty()
            && !variables.contains_key(alias)
            && let Some(package) = self.import(alias)
        {
            let whole: Vec<String> =
                ["data".to_owned()].into_iter().chain(package).chain(rest.iter().cloned()).collect();
            return self.data(&whole, expr);
        }
        match expr {
            Expr::Var { span, .. } => self.variable(span, variables),
            Expr::RefDot { refr, field, .. } => match self.reference(refr, variables) {
                Type::Fact(fact, read) => self.field(fact, read, field.0.text(), &field.0),
                Type::Unknown => Type::Unknown,
            },
            Expr::RefBrack { refr, index, span, .. } => {
                let of = self.reference(refr, variables);
                let Type::Fact(fact, read) = of else {
                    self.expr(index, variables);
                    return Type::Unknown;
                };
                if let Some(name) = text(index) {
                    return self.field(fact, read, name, index.span());
                }
                self.bind(index, Type::Unknown, variables);
                match fact.any() {
                    Some(of) => Type::Fact(of, read.into_iter().chain([Step::Any]).collect()),
                    None if fact.names().next().is_some() => Type::Unknown,
                    None => {
                        let finding = check::unknown_fact(&fact, &shown(&read), index.span().text(), self.at(span));
                        self.find(finding);
                        Type::Unknown
                    }
                }
            }
            // `f(x).name`, `[…][i]`
            _ => self.expr(expr, variables),
        }
    }

    fn field(&mut self, fact: Fact<'static>, read: Read, name: &str, span: &regorus::unstable::Span) -> Type {
        match fact.field(name) {
            Some(inner) => Type::Fact(inner, read.into_iter().chain([Step::Name(name.to_owned())]).collect()),
            None => {
                let finding = check::unknown_fact(&fact, &shown(&read), name, self.at(span));
                self.find(finding);
                Type::Unknown
            }
        }
    }

    fn variable(&mut self, span: &regorus::unstable::Span, variables: &Variables) -> Type {
        let name = span.text();
        if let Some(of) = variables.get(name) {
            return of.clone();
        }
        if name == "input" {
            return Type::Fact(schema(), Read::new());
        }
        let Some(module) = self.analysis.modules.get(self.module) else { return Type::Unknown };
        let own = (module.package.clone(), name.to_owned());
        if self.analysis.rules.contains_key(&own) {
            return self.named(&own, &[]);
        }
        let import = module.tree.imports.iter().find_map(|import| {
            let names = path(&import.refr)?;
            let known = import.r#as.as_ref().map_or(names.last()?.as_str(), |alias| alias.text());
            (known == name).then_some(names)
        });
        if self.in_head && import.is_none() && name != "data" {
            let finding = check::unbound(name, self.at(span));
            self.find(finding);
        }
        match import.as_deref() {
            Some([first, rest @ ..]) if first == "data" => {
                // The rule itself, or what is in the package: its names follow, and are looked up with these.
                match rest.split_last() {
                    Some((name, package)) if self.analysis.rules.contains_key(&(package.to_vec(), name.clone())) => {
                        self.named(&(package.to_vec(), name.clone()), &[])
                    }
                    _ => Type::Unknown,
                }
            }
            Some([first, rest @ ..]) if first == "input" => {
                let mut of = Type::Fact(schema(), Read::new());
                for name in rest {
                    of = match of {
                        Type::Fact(fact, read) => match fact.field(name) {
                            Some(inner) => {
                                Type::Fact(inner, read.into_iter().chain([Step::Name(name.clone())]).collect())
                            }
                            None => Type::Unknown,
                        },
                        Type::Unknown => Type::Unknown,
                    };
                }
                of
            }
            _ => Type::Unknown,
        }
    }

    /// A reference into the packages, with what follows the rule it leads to.
    fn data(&mut self, names: &[String], expr: &Expr) -> Type {
        let names = names.get(1..).unwrap_or_default();
        let split = (0..names.len()).rev().find(|at| {
            let (package, rest) = names.split_at(*at);
            rest.first().is_some_and(|name| self.analysis.rules.contains_key(&(package.to_vec(), name.clone())))
        });
        let Some(at) = split else { return Type::Unknown };
        let (package, rest) = names.split_at(at);
        let Some((name, fields)) = rest.split_first() else { return Type::Unknown };
        let mut of = self.named(&(package.to_vec(), name.clone()), &[]);
        for name in fields {
            of = match of {
                Type::Fact(fact, read) => self.field(fact, read, name, expr.span()),
                Type::Unknown => Type::Unknown,
            };
        }
        of
    }

    /// Looks into all rules of a name.
    fn named(&mut self, named: &Named, arguments: &[Type]) -> Type {
        let rules = self.analysis.rules.get(named).cloned().unwrap_or_default();
        if self.open.contains(named) {
            if let Some((module, rule)) = rules.first() {
                let before = std::mem::replace(&mut self.module, *module);
                let finding = check::recursion(&named.1, self.at(rule.span()));
                self.module = before;
                self.find(finding);
            }
            return Type::Unknown;
        }
        let key = (named.clone(), arguments.iter().map(|argument| argument.key().cloned()).collect());
        let in_head = std::mem::replace(&mut self.in_head, false);
        let is_new = self.seen.len() < MOST_VISITS && self.seen.insert(key);
        let is_plain = rules.len() == 1;
        if !is_new && !is_plain {
            self.in_head = in_head;
            return Type::Unknown;
        }
        self.open.push(named.clone());
        let mut value = Type::Unknown;
        for (module, rule) in &rules {
            let before = std::mem::replace(&mut self.module, *module);
            if is_new {
                value = self.rule(rule, arguments);
            } else if let Rule::Spec { head: RuleHead::Compr { assign: Some(assign), .. }, bodies, .. } = &**rule
                && bodies.is_empty()
            {
                value = self.peek(&assign.value, &Variables::new());
            }
            self.module = before;
        }
        self.open.pop();
        self.in_head = in_head;
        if is_plain { value } else { Type::Unknown }
    }

    fn call(
        &mut self,
        span: &regorus::unstable::Span,
        fcn: &Expr,
        params: &[Ref<Expr>],
        variables: &mut Variables,
    ) -> Type {
        let arguments: Vec<Type> = params.iter().map(|param| self.expr(param, variables)).collect();
        let Some(names) = path(fcn) else { return Type::Unknown };
        let own = match names.as_slice() {
            [name] => {
                let own = self.analysis.modules.get(self.module).map(|module| (module.package.clone(), name.clone()));
                let imported = || {
                    let mut package = self.import(name)?;
                    package.pop().map(|name| (package, name))
                };
                own.filter(|own| self.analysis.rules.contains_key(own)).or_else(imported)
            }
            [data, package @ .., name] if data == "data" => Some((package.to_vec(), name.clone())),
            [alias, name] => self.import(alias).map(|package| (package, name.clone())),
            _ => None,
        };
        if let Some(own) = own.filter(|own| self.analysis.rules.contains_key(own)) {
            return self.named(&own, &arguments);
        }
        let name = names.join(".");
        if name == "sprintf"
            && let Some(format) = params.first()
            && let Some(finding) = check::format(format, self.at(format.span()))
        {
            self.find(finding);
        }
        match builtins::arguments(&name) {
            // One more is what the result is to be equal to.
            Some(takes) if takes != params.len() && takes + 1 != params.len() => {
                let finding = check::arity(&name, takes, params.len(), self.at(span));
                self.find(finding);
            }
            Some(_) => {}
            None => {
                let own = self.analysis.rules.keys().map(|(_, name)| name.as_str());
                let finding = check::unknown(&name, own, self.at(fcn.span()));
                self.find(finding);
            }
        }
        Type::Unknown
    }

    /// The package that an import gives a name.
    fn import(&self, alias: &str) -> Option<Vec<String>> {
        let module = self.analysis.modules.get(self.module)?;
        module.tree.imports.iter().find_map(|import| {
            let names = path(&import.refr)?;
            let known = import.r#as.as_ref().map_or(names.last()?.as_str(), |known| known.text());
            let (root, package) = names.split_first()?;
            (known == alias && root == "data").then(|| package.to_vec())
        })
    }
}

/// What is in a list.
fn any(of: Type) -> Type {
    match of {
        Type::Fact(fact, read) => match fact.any() {
            Some(inner) => Type::Fact(inner, read.into_iter().chain([Step::Any]).collect()),
            None => Type::Unknown,
        },
        Type::Unknown => Type::Unknown,
    }
}

/// A fact as it is written: `input.packages[_].purl`.
pub(crate) fn shown(read: &[Step]) -> String {
    let mut text = "input".to_owned();
    for step in read {
        match step {
            Step::Name(name) => {
                text.push('.');
                text.push_str(name);
            }
            Step::Any => text.push_str("[_]"),
        }
    }
    text
}
