//! The look at one clause: its rule, statements and expressions.

use std::collections::{BTreeMap, BTreeSet};

use model::{Finding, Span, codes};
use regorus::unstable::{self as ast, AssignOp, BoolOp, Expr, Literal, LiteralStmt, Query, Rule, RuleBody, RuleHead};

use super::value::Value;
use super::{Analysis, MOST_DEPTH, MOST_EXPRESSIONS, Named, Read, Reads, Step, first, shown};
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
                            self.bind(arg, of, &mut variables);
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
            RuleHead::Set { key, .. } => {
                let Some(key) = key else { return Value::other() };
                self.in_head = true;
                let member = self.expr(key, variables);
                self.in_head = false;
                Value::of([member])
            }
            RuleHead::Compr { refr, .. } | RuleHead::Func { refr, .. } => {
                let mut keys = Vec::new();
                let mut inner = &**refr;
                while let Expr::RefBrack { refr, .. } | Expr::RefDot { refr, .. } = inner {
                    if let Expr::RefBrack { index, .. } = inner {
                        keys.push(self.expr(index, variables));
                    }
                    inner = refr;
                }
                let value = value.map_or(Value::other(), |value| self.expr(value, variables));
                let is_alone = matches!(**refr, Expr::Var { .. });
                if is_alone { value } else { Value::of(keys.into_iter().chain([value])) }
            }
        }
    }

    /// The statements of a query, in any order: what is used before it has a value is looked at once more with it.
    fn query(&mut self, query: &Query, variables: &mut Variables) {
        let outer = variables.clone();
        let outer_early = std::mem::take(&mut self.early);
        let found = self.analysis.found.len();
        self.statements(query, variables);
        let late: Variables = std::mem::take(&mut self.early)
            .into_iter()
            .filter_map(|name| {
                let Some(value) = variables.get(&name).cloned() else {
                    self.early.insert(name);
                    return None;
                };
                Some((name, value))
            })
            .collect();
        if !late.is_empty() {
            self.analysis.found.truncate(found);
            *variables = outer;
            let outer_late = std::mem::replace(&mut self.late, late.keys().cloned().collect());
            variables.extend(late);
            self.statements(query, variables);
            self.late = outer_late;
            self.early.retain(|name| !variables.contains_key(name));
        }
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
        for with in &stmt.with_mods {
            let value = self.expr(&with.r#as, variables);
            self.escape(&value);
            // Another function or rule may do anything with what it is given.
            if first(&with.refr) != Some("input") {
                self.escape(&Value::input());
            }
        }
        // Facts are other ones here, and those that are read otherwise count nevertheless.
        let found = self.analysis.found.len();
        self.literal(&stmt.literal, variables, &mut Equal::new());
        self.analysis.found.truncate(found);
    }

    fn literal(&mut self, literal: &Literal, variables: &mut Variables, equal: &mut Equal) {
        match literal {
            Literal::SomeVars { vars, .. } => {
                for var in vars {
                    variables.remove(var.text());
                }
            }
            Literal::SomeIn { key, value, collection, .. } => {
                let of = self.expr(collection, variables);
                if let Some(key) = key {
                    self.bind(key, Value::other(), variables);
                }
                self.bind(value, of.inside(), variables);
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
                let mut inner = variables.clone();
                if let Some(key) = key {
                    inner.insert(key.text().to_owned(), Value::other());
                }
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
    fn is_open(&self, pattern: &Expr, variables: &Variables) -> bool {
        match pattern {
            Expr::Var { span, .. } => self.late.contains(span.text()) || !self.is_bound(span.text(), variables),
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

    /// Gives the variables of a pattern what is known of them.
    pub(super) fn bind(&mut self, pattern: &Expr, of: Value, variables: &mut Variables) {
        match pattern {
            Expr::Var { span, .. } if span.text() == "_" => {}
            Expr::Var { span, .. } => {
                self.late.remove(span.text());
                variables.insert(span.text().to_owned(), of);
            }
            Expr::Array { items, .. } | Expr::Set { items, .. } => {
                items.iter().for_each(|item| self.bind(item, of.inside(), variables));
            }
            Expr::Object { fields, .. } => {
                for (_, key, value) in fields {
                    self.taken(key, variables);
                    let field = super::super::text(key).map_or_else(|| of.inside(), |name| of.field(name));
                    self.bind(value, field, variables);
                }
            }
            // It is compared.
            _ => {
                self.taken(pattern, variables);
                self.escape(&of);
            }
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
            if self.analysis.expressions <= MOST_EXPRESSIONS {
                let finding = Finding::error(codes::POLICY_SHAPE, "this is too much to be looked through");
                let span = self.at(expr.span());
                self.find(finding.at(span).help("make several rules of it, or shorter ones"));
            }
            // It is said once.
            self.analysis.expressions = MOST_EXPRESSIONS + 1;
            return Value::other();
        }
        self.analysis.expressions += 1;
        self.depth += 1;
        let value = self.inner(expr, variables);
        self.depth -= 1;
        self.read(&value);
        value
    }

    fn inner(&mut self, expr: &Expr, variables: &mut Variables) -> Value {
        match expr {
            Expr::Var { .. } | Expr::RefDot { .. } | Expr::RefBrack { .. } => self.reference(expr, variables),
            Expr::Call { span, fcn, params, .. } => self.call(span, fcn, params, variables),
            Expr::Array { items, .. } | Expr::Set { items, .. } => {
                Value::of(items.iter().map(|item| self.expr(item, variables)).collect::<Vec<_>>())
            }
            Expr::Object { fields, .. } => {
                let parts = fields.iter().flat_map(|(_, key, value)| [key, value]);
                Value::of(parts.map(|part| self.expr(part, variables)).collect::<Vec<_>>())
            }
            Expr::ArrayCompr { term, query, .. } | Expr::SetCompr { term, query, .. } => {
                self.comprehension(&[term], query, variables)
            }
            Expr::ObjectCompr { key, value, query, .. } => self.comprehension(&[key, value], query, variables),
            Expr::AssignExpr { lhs, rhs, .. } => {
                let of = self.expr(rhs, variables);
                self.bind(lhs, of, variables);
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

    fn comprehension(&mut self, terms: &[&Expr], query: &Query, variables: &Variables) -> Value {
        let in_head = std::mem::replace(&mut self.in_head, false);
        let mut inner = variables.clone();
        self.query(query, &mut inner);
        let parts: Vec<Value> = terms.iter().map(|term| self.expr(term, &mut inner)).collect();
        self.in_head = in_head;
        Value::of(parts)
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
