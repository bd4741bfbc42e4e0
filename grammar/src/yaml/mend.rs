//! Reads text that is no YAML as far as it makes sense: break by break, the change is made that lets the parser read
//! most, and what it lost is marked in the tree.

use std::borrow::Cow;

use ecow::EcoString;
use model::{Findings, SourceId, Span, Spanned};

use super::build::{Break, Builder, Built};
use super::edit::{Back, Edit, Round, apply};
use super::repair::{self, Certainty, Lost, Repair};
use super::{Kind, Node, Pair, Parsed, is_mended, syntax};
use crate::Report;

/// Breaks that are mended. Text that has more is something else.
const MAX_BREAKS: usize = 16;
/// How many bytes behind a change show whether it helps.
const WINDOW: usize = 4096;

pub(super) fn parse(source: SourceId, text: &str) -> Parsed {
    let control = syntax::control_characters(source, text);
    let mut now = if control.is_some() { Cow::Owned(syntax::without_control_characters(text)) } else { text.into() };
    let mut built = Builder::new(source, &now).run();
    let mut rounds: Vec<Round> = Vec::new();
    let mut findings: Findings = control.into_iter().collect();
    let (mut lost, mut mended) = (Vec::new(), Vec::new());
    if built.broken.is_some() {
        // What was found before the first break is there whatever is done about it.
        findings.append(&mut built.parsed.findings);
    }
    while let Some(broken) = &built.broken {
        let Some(repair) = best(source, &now, broken).filter(|_| rounds.len() < MAX_BREAKS) else { break };
        let back = Back { source, text, rounds: &rounds };
        let lines = back.span(Span::new(source, repair.lines.start, repair.lines.end));
        // One finding for a line; and for lines one after another of which nothing can be read.
        let nothing = repair.certainty() < Certainty::Named;
        if !mended.iter().any(|before| before == &lines || nothing && is_next(text, before, &lines)) {
            let mut finding = repair.finding.unwrap_or_else(|| broken.finding.clone());
            // What stands behind a break may look different once that is corrected.
            finding.fix = finding.fix.filter(|_| rounds.is_empty());
            findings.push(back.finding(finding));
        }
        lost.extend(repair.lost.map(|lost| lost.map(|offset| back.offset(offset))));
        mended.push(lines);
        let changed = apply(&now, &repair.edits);
        rounds.push(Round::new(repair.edits));
        built = Builder::new(source, &changed).run();
        now = Cow::Owned(changed);
    }
    let back = Back { source, text, rounds: &rounds };
    findings.extend(built.broken.map(|broken| back.finding(broken.finding)));
    let mut parsed = back.parsed(built.parsed);
    if let Some(root) = &mut parsed.root {
        lost.iter().for_each(|lost| mark(root, text, source, lost));
    }
    parsed.mended = mended;
    let others = std::mem::take(&mut parsed.findings);
    for finding in others {
        if !is_mended(&parsed.mended, &finding) && !findings.contains(&finding) {
            findings.push(finding);
        }
    }
    if let Cow::Owned(_) = now {
        findings.sort_by_key(|finding| finding.span.map(|span| span.start));
        // A change may have taken something out of a comment.
        for comment in &mut parsed.comments {
            let written = text.get(comment.span.start as usize..comment.span.end as usize).unwrap_or_default();
            comment.text = written.strip_prefix('#').unwrap_or(written).to_owned();
        }
    }
    let mut report = Report::default();
    findings.into_iter().for_each(|finding| report.add(finding));
    Parsed { findings: report.into_findings(), ..parsed }
}

/// Whether nothing but blank lines stands between two places.
fn is_next(text: &str, before: &Span, after: &Span) -> bool {
    let (first, second) = if before.start <= after.start { (before, after) } else { (after, before) };
    let between = text.get(first.end as usize..second.start as usize);
    between.is_none_or(|between| between.trim().is_empty())
}

/// The repair that leads past the break and is the most certain; then, that after which most can be read; then, the first.
fn best(source: SourceId, text: &str, broken: &Break) -> Option<Repair> {
    let repairs = repair::candidates(source, text, broken);
    let last = repairs.iter().flat_map(|repair| &repair.edits).map(|edit| edit.at + edit.remove).max()?;
    let window = window(text, broken, last);
    let slice = text.get(window.clone())?;
    let score = |repair: &Repair| {
        let edits: Vec<Edit> =
            repair.edits.iter().map(|edit| Edit { at: edit.at.saturating_sub(window.start), ..edit.clone() }).collect();
        let Built { parsed, broken: after } = Builder::new(source, &apply(slice, &edits)).run();
        let read = after.map_or(usize::MAX, |after| Round::new(edits).back(after.read) + window.start);
        (read > broken.at, repair.certainty(), read, parsed.root.as_ref().map_or(0, size))
    };
    // The last of equal ones would win.
    repairs.into_iter().rev().max_by_key(score)
}

/// The part of the text that a break and its repair are about: from a line of the outermost map to some lines behind.
fn window(text: &str, broken: &Break, last: usize) -> std::ops::Range<usize> {
    let first = broken.open.first().copied().unwrap_or(broken.read).min(broken.read).min(broken.at);
    let is_outer = |line: &str| line.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '"' | '\'' | '_' | '$'));
    let before = text.get(..first).unwrap_or_default();
    let mut start = before.rfind('\n').map_or(0, |at| at + 1);
    let mut outer = 0;
    while start > 0 {
        start = text.get(..start - 1).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1);
        outer += usize::from(is_outer(text.get(start..).unwrap_or_default()));
        if outer == 2 {
            break;
        }
    }
    let mut end = last.max(broken.at).min(text.len());
    let mut outer = 0;
    for line in text.get(end..).unwrap_or_default().split_inclusive('\n').skip(1) {
        outer += usize::from(is_outer(line));
        if outer > 2 || end > last + WINDOW {
            break;
        }
        end += line.len();
    }
    // The line the loop started in.
    end += text.get(end..).and_then(|rest| rest.find('\n')).map_or(text.len() - end, |at| at + 1);
    start..end.min(text.len())
}

/// How many keys, entries and texts a tree has.
fn size(node: &Node) -> usize {
    match &node.kind {
        Kind::Map(pairs) => {
            pairs.iter().map(|pair| usize::from(!pair.key.value.is_empty()) + size(&pair.value)).sum::<usize>()
        }
        Kind::List(items) => items.iter().map(|item| 1 + size(item)).sum::<usize>(),
        Kind::Scalar { .. } => 1,
        Kind::Null | Kind::Error => 0,
    }
}

/// Puts an error node where something was lost.
fn mark(node: &mut Node, text: &str, source: SourceId, lost: &Lost) {
    let here = |node: &Node, at: usize| {
        let at = (at as u32).clamp(node.span.start, node.span.end);
        Span { source, start: at, end: at }
    };
    match lost {
        Lost::Value { key_end } => {
            if let Kind::Map(pairs) = &mut node.kind {
                for pair in pairs.make_mut() {
                    if pair.key.span.end as usize == *key_end && pair.value.kind == Kind::Null {
                        pair.value.kind = Kind::Error;
                        return;
                    }
                }
            }
            if let Some(child) = children(node).rev().find(|child| (child.span.start as usize) <= *key_end) {
                mark(child, text, source, lost);
            }
        }
        Lost::Rest { at } | Lost::Line { at, .. } => {
            let column = if let Lost::Line { column, .. } = lost { *column } else { usize::MAX };
            let holds = |child: &&mut Node| {
                let start = child.span.start as usize;
                let flow = text.get(start..).is_some_and(|rest| rest.starts_with(['[', '{']));
                let inner = matches!(child.kind, Kind::List(_) | Kind::Map(_));
                inner
                    && start <= *at
                    && if flow { *at <= child.span.end as usize } else { column_of(text, start) <= column }
            };
            if let Some(child) = children(node).rfind(holds) {
                return mark(child, text, source, lost);
            }
            let error = Node { span: here(node, *at), kind: Kind::Error };
            match &mut node.kind {
                Kind::List(items) => {
                    let place = items.iter().take_while(|item| (item.span.start as usize) < *at).count();
                    items.insert(place, error);
                }
                Kind::Map(pairs) => {
                    let place = pairs.iter().take_while(|pair| (pair.key.span.start as usize) < *at).count();
                    let key = Spanned::new(EcoString::new(), error.span);
                    pairs.insert(place, Pair { key, value: error });
                }
                _ => {}
            }
        }
    }
}

fn children(node: &mut Node) -> Box<dyn DoubleEndedIterator<Item = &mut Node> + '_> {
    match &mut node.kind {
        Kind::List(items) => Box::new(items.make_mut().iter_mut()),
        Kind::Map(pairs) => Box::new(pairs.make_mut().iter_mut().map(|pair| &mut pair.value)),
        Kind::Scalar { .. } | Kind::Null | Kind::Error => Box::new(std::iter::empty()),
    }
}

fn column_of(text: &str, offset: usize) -> usize {
    let before = text.get(..offset).unwrap_or_default();
    before.len() - before.rfind('\n').map_or(0, |at| at + 1)
}
