//! The look at one clause: its rule, statements and expressions.

use std::collections::{BTreeMap, BTreeSet};

use model::{Finding, Span, codes};
use regorus::unstable::{self as ast, AssignOp, BoolOp, Expr, Literal, LiteralStmt, Query, Rule, RuleBody, RuleHead};

use super::value::Value;
use super::{Analysis, DEEPEST, MOST_DEPTH, MOST_EXPRESSIONS, MOST_FINDINGS, Named, Read, Reads, Step, first, shown};
use crate::check::{self, Term};

pub(super) type Variables = BTreeMap<String, Value>;

/// Facts that statements of one query compare with something written out.
type Equal = Vec<(Read, serde_json::Value, Span)>;

/// The look at one clause.
pub(super) struct Look<'a, 'm> {
    pub(super) analysis: &'a mut Analysis<'m>,
    pub(super) reads: Reads,
    /// The values of rules that were looked into, by their arguments.
    pub(super) known: BTreeMap<(Named, Vec<Value>), Value>,
    /// Rules that are being looked into.
    pub(super) open: Vec<Named>,
    /// Which module the look is in.
    pub(super) module: usize,
    /// Variables that were used in this query before anything gave them a value.
    pub(super) early: BTreeSet<String>,
    /// Those, while it is looked at once more, that have not come to where they get it.
    late: BTreeSet<String>,
    /// In a head every variable has its value from the body.
    pub(super) in_head: bool,
    depth: usize,
}

impl<'a, 'm> Look<'a, 'm> {
    pub(super) fn new(analysis: &'a mut Analysis<'m>, module: usize) -> Self {
        Self {
            analysis,
            reads: Reads::default(),
            known: BTreeMap::new(),
            open: Vec::new(),
            module,
            early: BTreeSet::new(),
            late: BTreeSet::new(),
            in_head: false,
            depth: 0,
        }
    }

    /// What a rule reads of which the value is used whole.
    pub(super) fn whole(mut self, rule: &Rule) -> Reads {
        let value = self.rule(rule, &[]);
        self.escape(&value);
        self.reads
    }

    pub(super) fn at(&self, span: &ast::Span) -> Span {
        self.analysis.modules.get(self.module).map_or(Span::new(model::SourceId(0), 0, 0), |module| module.span(span))
    }

    pub(super) fn find(&mut self, finding: Finding) {
        self.analysis.found.push(finding);
        if self.analysis.found.len() >= MOST_FINDINGS {
            self.analysis.expressions = MOST_EXPRESSIONS;
        }
    }

    /// Counts what a value may be as read.
    pub(super) fn read(&mut self, value: &Value) {
        for (fact, read) in value.facts() {
            self.reads.stage = self.reads.stage.max(fact.stage);
            self.reads.facts.insert(read.clone());
        }
    }

    /// Counts a value as read with all that is in it: where it goes, it is not followed.
    pub(super) fn escape(&mut self, value: &Value) {
        for (fact, read) in value.all() {
            self.reads.stage = self.reads.stage.max(fact.stage);
            self.reads.facts.insert(read);
        }
    }

    /// Looks into one rule with arguments, and says what its value is.
    pub(super) fn rule(&mut self, rule: &Rule, arguments: &[Value]) -> Value {
        let mut variables = Variables::new();
        match rule {
            Rule::Default { value, .. } => self.expr(value, &mut variables),
            Rule::Spec { head, bodies, .. } => {
                let assign = match head {
                    RuleHead::Func { args, assign, .. } => {
                        let values = arguments.iter().cloned().chain(std::iter::repeat(Value::default()));
                        for (arg, of) in args.iter().zip(values) {
                            self.declare(arg, of, &mut variables);
                        }
                        assign.as_ref()
                    }
                    RuleHead::Compr { assign, .. } => assign.as_ref(),
                    RuleHead::Set { .. } => None,
                };
                let assigned = assign.map(|assign| &*assign.value);
                if bodies.is_empty() {
                    return self.head(head, assigned, &mut variables);
                }
                bodies.iter().map(|body| self.body(head, assigned, body, &variables)).fold(Value::default(), Value::or)
            }
        }
    }

    fn body(&mut self, head: &RuleHead, value: Option<&Expr>, body: &RuleBody, outer: &Variables) -> Value {
        let mut variables = outer.clone();
        self.query(&body.query, &mut variables);
        let value = body.assign.as_ref().map(|assign| &*assign.value).or(value);
        self.head(head, value, &mut variables)
    }

    /// What is in a head besides its name and arguments, and the value it gives.
    fn head(&mut self, head: &RuleHead, value: Option<&Expr>, variables: &mut Variables) -> Value {
        match head {
            RuleHead::Set { refr, key, .. } => {
                let Some(key) = key else { return Value::other() };
                self.in_head = true;
                let member = self.expr(key, variables);
                self.in_head = false;
                let member = Value::set([member]);
                self.below(refr, member, variables)
            }
            RuleHead::Compr { refr, .. } | RuleHead::Func { refr, .. } => {
                let value = value.map_or(Value::other(), |value| self.expr(value, variables));
                self.below(refr, value, variables)
            }
        }
    }

    /// What a rule is as a whole of which the head gives a value to `a.b[c]`: an object in an object.
    fn below(&mut self, refr: &Expr, value: Value, variables: &mut Variables) -> Value {
        match refr {
            Expr::RefBrack { refr, index, .. } => {
                let key = self.expr(index, variables);
                self.below(refr, Value::set([key, value]), variables)
            }
            Expr::RefDot { refr, .. } => self.below(refr, Value::of([value]), variables),
            _ => value,
        }
    }

    /// The statements of a query, in any order: what is used before it has a value is looked at once more with it, until nothing
    /// more becomes known.
    fn query(&mut self, query: &Query, variables: &mut Variables) {
        let outer = variables.clone();
        let (outer_early, outer_late) = (std::mem::take(&mut self.early), std::mem::take(&mut self.late));
        let found = self.analysis.found.len();
        let (mut late, mut before) = (Variables::new(), None);
        for _ in 0..=query.stmts.len() {
            self.analysis.found.truncate(found);
            variables.clone_from(&outer);
            variables.extend(late.clone());
            self.late = late.keys().cloned().collect();
            self.statements(query, variables);
            let names: BTreeSet<String> = late.into_keys().chain(std::mem::take(&mut self.early)).collect();
            let known: Variables =
                names.iter().filter_map(|name| Some((name.clone(), variables.get(name)?.clone()))).collect();
            self.early = names.into_iter().filter(|name| !known.contains_key(name)).collect();
            if before.as_ref() == Some(&known) || known.is_empty() {
                break;
            }
            before = Some(known.clone());
            late = known;
        }
        self.late = outer_late;
        self.early.extend(outer_early);
    }

    fn statements(&mut self, query: &Query, variables: &mut Variables) {
        let mut equal = Equal::new();
        query.stmts.iter().for_each(|stmt| self.statement(stmt, variables, &mut equal));
    }

    fn statement(&mut self, stmt: &LiteralStmt, variables: &mut Variables, equal: &mut Equal) {
        if stmt.with_mods.is_empty() {
            return self.literal(&stmt.literal, variables, equal);
        }
        let mut others = Vec::new();
        for with in &stmt.with_mods {
            self.taken(&with.r#as, variables);
            if first(&with.refr) != Some("input") {
                others.push(check::with(with.refr.span().text(), self.at(with.refr.span())));
            }
        }
        // Facts are other ones here, and those that are read otherwise count nevertheless.
        let found = self.analysis.found.len();
        self.literal(&stmt.literal, variables, &mut Equal::new());
        self.analysis.found.truncate(found);
        self.analysis.found.extend(others);
    }

    fn literal(&mut self, literal: &Literal, variables: &mut Variables, equal: &mut Equal) {
        match literal {
            Literal::SomeVars { vars, .. } => {
                for var in vars {
                    self.shadows(var.text(), var);
                    variables.remove(var.text());
                }
            }
            Literal::SomeIn { key, value, collection, .. } => {
                let of = self.expr(collection, variables);
                self.iterated(&of);
                if let Some(key) = key {
                    self.declare(key, of.keys(), variables);
                }
                self.declare(value, of.inside(), variables);
            }
            Literal::Expr { span, expr } => {
                let span = self.at(span);
                if let Some(finding) = check::is_false(expr, span) {
                    self.find(finding);
                }
                self.condition(expr, variables, equal);
            }
            Literal::NotExpr { expr, .. } => {
                self.condition(expr, &mut variables.clone(), &mut Equal::new());
            }
            Literal::Every { key, value, domain, query, .. } => {
                let of = self.expr(domain, variables);
                self.iterated(&of);
                let mut inner = variables.clone();
                if let Some(key) = key {
                    self.shadows(key.text(), key);
                    inner.insert(key.text().to_owned(), of.keys());
                }
                self.shadows(value.text(), value);
                inner.insert(value.text().to_owned(), of.inside());
                self.query(query, &mut inner);
            }
        }
    }

    /// A statement's expression, which may bind variables.
    fn condition(&mut self, expr: &Expr, variables: &mut Variables, equal: &mut Equal) {
        match expr {
            Expr::AssignExpr { span, op: AssignOp::Eq, lhs, rhs, .. } => {
                let (left, right) = self.unify(lhs, rhs, variables);
                self.equation(span, (lhs, &left), (rhs, &right), equal);
            }
            Expr::BoolExpr { span, op: BoolOp::Eq, lhs, rhs, .. } => {
                let (left, right) = (self.taken(lhs, variables), self.taken(rhs, variables));
                self.equation(span, (lhs, &left), (rhs, &right), equal);
            }
            _ => {
                self.expr(expr, variables);
            }
        }
    }

    /// Both sides of an equation that may give a value to variables on either side.
    fn unify(&mut self, lhs: &Expr, rhs: &Expr, variables: &mut Variables) -> (Value, Value) {
        match (lhs, rhs) {
            (Expr::Array { items: left, .. }, Expr::Array { items: right, .. }) if left.len() == right.len() => {
                for (left, right) in left.iter().zip(right) {
                    self.unify(left, right, variables);
                }
                (Value::other(), Value::other())
            }
            _ if self.is_open(lhs, variables) => {
                let of = self.expr(rhs, variables);
                self.bind(lhs, of.clone(), variables);
                (Value::default(), of)
            }
            _ if self.is_open(rhs, variables) => {
                let of = self.expr(lhs, variables);
                self.bind(rhs, of.clone(), variables);
                (of, Value::default())
            }
            _ => (self.taken(lhs, variables), self.taken(rhs, variables)),
        }
    }

    /// Whether a pattern has a variable without a value.
    pub(super) fn is_open(&self, pattern: &Expr, variables: &Variables) -> bool {
        match pattern {
            Expr::Var { span, .. } => {
                span.text() == "_" || self.late.contains(span.text()) || !self.is_bound(span.text(), variables)
            }
            Expr::Array { items, .. } | Expr::Set { items, .. } => {
                items.iter().any(|item| self.is_open(item, variables))
            }
            Expr::Object { fields, .. } => fields.iter().any(|(_, _, value)| self.is_open(value, variables)),
            _ => false,
        }
    }

    fn equation(&mut self, span: &ast::Span, left: (&Expr, &Value), right: (&Expr, &Value), equal: &mut Equal) {
        let span = self.at(span);
        let (Some(left), Some(right)) = (term(left), term(right)) else { return };
        if let Some(finding) = check::compare(&left.0, &right.0, span) {
            self.find(finding);
            return;
        }
        let (((Term::Fact(_, name), Some(read)), (Term::Literal(value), _))
        | ((Term::Literal(value), _), (Term::Fact(_, name), Some(read)))) = (left, right)
        else {
            return;
        };
        // What is in a list may well be several things.
        if read.contains(&Step::Any) {
            return;
        }
        if let Some((_, other, before)) = equal.iter().find(|(known, other, _)| *known == read && *other != value) {
            let finding = check::contradiction(&name, other, &value, span, *before);
            self.find(finding);
        }
        equal.push((read, value, span));
    }

    /// Gives new variables in a pattern what is known of them: `:=`, `some`, arguments.
    pub(super) fn declare(&mut self, pattern: &Expr, of: Value, variables: &mut Variables) {
        if let Expr::Var { span, .. } = pattern
            && span.text() != "_"
        {
            self.shadows(span.text(), span);
            self.late.remove(span.text());
            variables.insert(span.text().to_owned(), of);
            return;
        }
        self.parts(pattern, of, variables, Self::declare);
    }

    /// Holds a value against a pattern: variables in it without a value take one, all else is compared.
    pub(super) fn bind(&mut self, pattern: &Expr, of: Value, variables: &mut Variables) {
        if let Expr::Var { span, .. } = pattern {
            let name = span.text();
            if self.late.remove(name) || !self.is_bound(name, variables) {
                if name != "_" {
                    variables.insert(name.to_owned(), of);
                }
            } else {
                self.taken(pattern, variables);
                self.escape(&of);
            }
            return;
        }
        self.parts(pattern, of, variables, Self::bind);
    }

    fn parts(
        &mut self,
        pattern: &Expr,
        of: Value,
        variables: &mut Variables,
        part: fn(&mut Self, &Expr, Value, &mut Variables),
    ) {
        match pattern {
            Expr::Var { .. } => {}
            Expr::Array { items, .. } | Expr::Set { items, .. } => {
                items.iter().for_each(|item| part(self, item, of.inside(), variables));
            }
            Expr::Object { fields, span, .. } => {
                if self.is_open(pattern, variables) {
                    let finding = check::object_pattern(self.at(span));
                    self.find(finding);
                }
                self.escape(&of);
                fields.iter().for_each(|(_, _, value)| part(self, value, of.inside(), variables));
            }
            _ => {
                self.taken(pattern, variables);
                self.escape(&of);
            }
        }
    }

    /// Finds a new variable with the name of a rule or import, for which the evaluator would take it.
    fn shadows(&mut self, name: &str, span: &ast::Span) {
        if self.is_bound(name, &Variables::new()) {
            let finding = check::shadowed(name, self.at(span));
            self.find(finding);
        }
    }

    /// Going through something says which names are in it.
    pub(super) fn iterated(&mut self, of: &Value) {
        if of.facts().any(|(fact, _)| fact.names().next().is_some()) {
            self.read(&of.inside());
        }
    }

    /// An expression that is used whole.
    pub(super) fn taken(&mut self, expr: &Expr, variables: &mut Variables) -> Value {
        let value = self.expr(expr, variables);
        self.escape(&value);
        value
    }

    /// Looks at an expression; a fact that it is, is read.
    pub(super) fn expr(&mut self, expr: &Expr, variables: &mut Variables) -> Value {
        if self.depth == MOST_DEPTH || self.analysis.expressions >= MOST_EXPRESSIONS {
            self.too_much(expr);
            return Value::other();
        }
        self.analysis.expressions += 1;
        self.depth += 1;
        let value = self.inner(expr, variables);
        self.depth -= 1;
        if value.depth() > DEEPEST {
            self.too_much(expr);
            return Value::other();
        }
        self.read(&value);
        value
    }

    /// Refuses all policies; nothing more is looked at.
    fn too_much(&mut self, expr: &Expr) {
        let span = self.at(expr.span());
        self.analysis.too_much.get_or_insert_with(|| {
            let finding = Finding::error(codes::POLICY_SHAPE, "this is too much to be looked through");
            finding.at(span).help("make several rules of it, or shorter ones")
        });
        self.analysis.expressions = MOST_EXPRESSIONS;
    }

    fn inner(&mut self, expr: &Expr, variables: &mut Variables) -> Value {
        match expr {
            Expr::Var { .. } | Expr::RefDot { .. } | Expr::RefBrack { .. } => self.reference(expr, variables),
            Expr::Call { span, fcn, params, .. } => self.call(span, fcn, params, variables),
            Expr::Array { items, .. } => {
                Value::of(items.iter().map(|item| self.expr(item, variables)).collect::<Vec<_>>())
            }
            Expr::Set { items, .. } => {
                Value::set(items.iter().map(|item| self.expr(item, variables)).collect::<Vec<_>>())
            }
            Expr::Object { fields, .. } => {
                let parts = fields.iter().flat_map(|(_, key, value)| [key, value]);
                Value::set(parts.map(|part| self.expr(part, variables)).collect::<Vec<_>>())
            }
            Expr::ArrayCompr { term, query, .. } => Value::of(self.comprehension(&[term], query, variables)),
            Expr::SetCompr { term, query, .. } => Value::set(self.comprehension(&[term], query, variables)),
            Expr::ObjectCompr { key, value, query, .. } => {
                Value::set(self.comprehension(&[key, value], query, variables))
            }
            Expr::AssignExpr { lhs, rhs, .. } => {
                let of = self.expr(rhs, variables);
                self.declare(lhs, of, variables);
                Value::other()
            }
            Expr::UnaryExpr { expr, .. } => {
                self.taken(expr, variables);
                Value::other()
            }
            Expr::BinExpr { lhs, rhs, .. } | Expr::ArithExpr { lhs, rhs, .. } | Expr::BoolExpr { lhs, rhs, .. } => {
                self.taken(lhs, variables);
                self.taken(rhs, variables);
                Value::other()
            }
            Expr::Membership { key, value, collection, .. } => {
                for part in key.iter().chain([value, collection]) {
                    self.taken(part, variables);
                }
                Value::other()
            }
            _ => Value::other(),
        }
    }

    fn comprehension(&mut self, terms: &[&Expr], query: &Query, variables: &Variables) -> Vec<Value> {
        let in_head = std::mem::replace(&mut self.in_head, false);
        let mut inner = variables.clone();
        self.query(query, &mut inner);
        let parts: Vec<Value> = terms.iter().map(|term| self.expr(term, &mut inner)).collect();
        self.in_head = in_head;
        parts
    }
}

/// One side of an equation, and the fact that it is.
fn term((expr, value): (&Expr, &Value)) -> Option<(Term<'static>, Option<Read>)> {
    if let Some(value) = check::literal(expr) {
        return Some((Term::Literal(value), None));
    }
    let (fact, read) = value.only()?;
    Some((Term::Fact(fact, shown(read)), Some(read.clone())))
}
