//! The Rust text of a type: formatted as rustfmt would have it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use anyhow::Result;

use super::schema::{Field, Named, Shape};
use super::shapes::{borrowed, has_equality, is_borrowable, is_plain, lend, owned, put, read_borrowed, read_owned};

/// Fields whose name is a word of Rust.
const RENAMED: &[(&str, &str, &str)] = &[("DeviceEvent", "type", "event_type")];

/// Widest inside of a struct literal on one line: rustfmt's share of 120 columns.
const LITERAL_WIDTH: usize = 22;

/// What a type may refer to.
pub struct Context<'a> {
    pub types: &'a BTreeMap<String, Named>,
    /// The file's name, in words, that a type lives in.
    pub home: &'a dyn Fn(&str) -> String,
    /// Records with a schema of their own: those that go over the log.
    pub records: &'a BTreeMap<String, String>,
}

impl Context<'_> {
    /// Whether a record stands in a list or a map of another.
    fn is_item(&self, name: &str) -> bool {
        let of = |field: &Field| match &field.shape {
            Shape::List(item) | Shape::Map(item) => **item == Shape::Named(name.to_owned()),
            _ => false,
        };
        self.types.values().any(|named| match named {
            Named::Record { fields, .. } => fields.iter().any(of),
            Named::Enum { .. } => false,
        })
    }
}

/// `mod.rs`.
pub fn index(files: &[String]) -> String {
    let mut out = String::from(
        "//! The records, their views and their codec: generated from `avro/*.avsc` by `cargo run -p xtask -- gen`, not to be\n\
         //! edited.\n\n",
    );
    let modules: Vec<_> = files.iter().filter_map(|f| f.strip_suffix(".rs")).collect();
    for module in &modules {
        line(&mut out, 0, &format!("mod {module};"));
    }
    out.push('\n');
    for module in &modules {
        line(&mut out, 0, &format!("pub use {module}::*;"));
    }
    out
}

/// The file of a record, with the types that only it has.
pub fn file(name: &str, types: &[&Named], context: &Context<'_>) -> Result<String> {
    let mut body = String::new();
    for named in types {
        match named {
            Named::Record { name, doc, fields } => record(&mut body, name, doc, fields, context)?,
            Named::Enum { name, doc, symbols } => enumeration(&mut body, name, doc, symbols),
        }
    }
    let mut out =
        format!("//! Generated from the schema of `{name}` by `cargo run -p xtask -- gen`: not to be edited.\n\n");
    imports(&mut out, name, types, &body, context);
    out.push_str(body.trim_end());
    out.push('\n');
    Ok(out)
}

fn imports(out: &mut String, home: &str, types: &[&Named], body: &str, context: &Context<'_>) {
    if body.contains("BTreeMap<") {
        out.push_str("use std::collections::BTreeMap;\n\n");
    }
    if body.contains("Micros") {
        out.push_str("use model::Micros;\n");
    }
    out.push_str("use serde::{Deserialize, Serialize};\n");
    if body.contains("ByteBuf") {
        out.push_str("use serde_bytes::ByteBuf;\n");
    }
    out.push('\n');
    let mut used = BTreeSet::new();
    for named in types {
        if let Named::Record { fields, .. } = named {
            fields.iter().for_each(|f| names(&f.shape, &mut used));
        }
    }
    let elsewhere: BTreeSet<_> = used
        .into_iter()
        .filter(|name| (context.home)(name) != home)
        .flat_map(|name| match is_plain(&Shape::Named(name.clone()), context) {
            true => vec![name],
            false => vec![format!("{name}View"), name],
        })
        // What stands in a list only has no view.
        .filter(|name| body.contains(name.as_str()))
        .collect();
    let wire = [
        ("wire::", "self"),
        ("Body for", "Body"),
        ("Malformed", "Malformed"),
        ("Reader", "Reader"),
        ("View<'a> for", "View"),
    ];
    let wire: Vec<_> = wire
        .iter()
        .filter(|(use_of, _)| body.contains(use_of))
        .map(|(_, name)| *name)
        .collect();
    let elsewhere: Vec<_> = elsewhere.into_iter().collect();
    // As rustfmt sorts them: a type, a module, a list.
    if let [one] = &elsewhere[..] {
        line(out, 0, &format!("use crate::{one};"));
    }
    if body.contains("RecordType::") {
        line(out, 0, "use crate::records::RecordType;");
    }
    line(out, 0, &format!("use crate::wire::{{{}}};", wire.join(", ")));
    if elsewhere.len() > 1 {
        line(out, 0, &format!("use crate::{{{}}};", elsewhere.join(", ")));
    }
    out.push('\n');
}

fn names(shape: &Shape, out: &mut BTreeSet<String>) {
    match shape {
        Shape::Named(name) => {
            out.insert(name.clone());
        }
        Shape::Optional(inner) | Shape::Map(inner) | Shape::List(inner) => names(inner, out),
        _ => {}
    }
}

fn record(out: &mut String, name: &str, doc: &str, fields: &[Field], context: &Context<'_>) -> Result<()> {
    let plain = fields.iter().all(|f| is_plain(&f.shape, context));
    let on_log = context.records.contains_key(name);
    doc_line(out, 0, doc);
    let copy = if plain { "Copy, " } else { "" };
    let equal = equality(fields, context);
    line(
        out,
        0,
        &format!("#[derive(Debug, Clone, {copy}{equal}, Serialize, Deserialize)]"),
    );
    line(out, 0, &format!("pub struct {name} {{"));
    for field in fields {
        doc_line(out, 1, &field.doc);
        if let Some(attribute) = serde_attribute(name, field) {
            line(out, 1, &attribute);
        }
        line(
            out,
            1,
            &format!("pub {}: {},", rust_name(name, field), owned(&field.shape)?),
        );
    }
    line(out, 0, "}\n");
    if !plain {
        view(out, name, fields, context);
    }
    decoder(out, &format!(" {name}"), "Reader<'_>", name, fields, |f| {
        read_owned(&f.shape)
    })?;
    if !plain && on_log && fields.iter().all(|f| is_borrowable(&f.shape, context)) {
        let of = format!("<'a> View<'a> for {name}View<'a>");
        decoder(out, &of, "Reader<'a>", name, fields, |f| read_borrowed(&f.shape))?;
    }
    let self_encoder = if plain {
        name.to_owned()
    } else {
        format!("{name}View<'_>")
    };
    encoder(out, &self_encoder, name, on_log, |out| {
        for field in fields {
            line(out, 2, &put(&format!("self.{}", rust_name(name, field)), &field.shape));
        }
    });
    // What is neither a record of the log nor stands in a list is only written as a part that is lent.
    if !plain && (on_log || context.is_item(name)) {
        encoder(out, name, name, on_log, |out| line(out, 2, "self.view().encode(out);"));
    }
    Ok(())
}

fn equality(fields: &[Field], context: &Context<'_>) -> &'static str {
    match fields.iter().all(|f| has_equality(&f.shape, context)) {
        true => "PartialEq, Eq",
        false => "PartialEq",
    }
}

/// The borrowed twin of a record, and how to get it.
fn view(out: &mut String, name: &str, fields: &[Field], context: &Context<'_>) {
    doc_line(out, 0, &format!("A [`{name}`] whose parts are where they came from."));
    let equal = equality(fields, context);
    line(out, 0, &format!("#[derive(Debug, Clone, Copy, {equal})]"));
    line(out, 0, "#[allow(missing_docs, reason = \"fields as in the record\")]");
    line(out, 0, &format!("pub struct {name}View<'a> {{"));
    for field in fields {
        let shape = borrowed(&field.shape, context);
        line(out, 1, &format!("pub {}: {shape},", rust_name(name, field)));
    }
    line(out, 0, "}\n");
    line(out, 0, &format!("impl {name} {{"));
    doc_line(out, 1, "The record without its own memory.");
    line(out, 1, &format!("pub fn view(&self) -> {name}View<'_> {{"));
    let lent = |field: &Field| {
        let field_name = rust_name(name, field);
        let lent = lend(&field_name, &field.shape, context);
        format!("{field_name}: {lent}")
    };
    let fields: Vec<_> = fields.iter().map(lent).collect();
    literal(out, 2, &format!("{name}View"), &fields, "");
    line(out, 1, "}");
    line(out, 0, "}\n");
}

/// `of` is the whole head of the implementation.
fn decoder(
    out: &mut String,
    of: &str,
    reader: &str,
    record: &str,
    fields: &[Field],
    read: impl Fn(&Field) -> Result<String>,
) -> Result<()> {
    line(out, 0, &format!("impl{of} {{"));
    let visible = if of.contains(" for ") { "" } else { "pub(crate) " };
    let head = format!("{visible}fn decode(r: &mut {reader}) -> Result<Self, Malformed> {{");
    line(out, 1, &head);
    let fields = fields
        .iter()
        .map(|field| Ok(format!("{}: {}?", rust_name(record, field), read(field)?)))
        .collect::<Result<Vec<_>>>()?;
    literal(out, 2, "Ok(Self", &fields, ")");
    line(out, 1, "}");
    line(out, 0, "}\n");
    Ok(())
}

/// A struct literal, on one line where rustfmt would have it so.
fn literal(out: &mut String, depth: usize, before: &str, fields: &[String], after: &str) {
    let joined = fields.join(", ");
    if joined.len() <= LITERAL_WIDTH {
        return line(out, depth, &format!("{before} {{ {joined} }}{after}"));
    }
    line(out, depth, &format!("{before} {{"));
    for field in fields {
        line(out, depth + 1, &format!("{field},"));
    }
    line(out, depth, &format!("}}{after}"));
}

fn encoder(out: &mut String, of: &str, record: &str, on_log: bool, body: impl Fn(&mut String)) {
    if on_log {
        line(out, 0, &format!("impl Body for {of} {{"));
        line(out, 1, &format!("const RECORD: RecordType = RecordType::{record};\n"));
        line(out, 1, "fn encode(&self, out: &mut Vec<u8>) {");
    } else {
        line(out, 0, &format!("impl {of} {{"));
        line(out, 1, "pub(crate) fn encode(&self, out: &mut Vec<u8>) {");
    }
    body(out);
    line(out, 1, "}");
    line(out, 0, "}\n");
}

fn enumeration(out: &mut String, name: &str, doc: &str, symbols: &[String]) {
    doc_line(out, 0, doc);
    line(
        out,
        0,
        "#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]",
    );
    line(
        out,
        0,
        "#[allow(missing_docs, reason = \"the symbols are all there is\")]",
    );
    line(out, 0, &format!("pub enum {name} {{"));
    for symbol in symbols {
        let variant = camel_case(symbol);
        if variant != *symbol {
            line(out, 1, &format!("#[serde(rename = \"{symbol}\")]"));
        }
        line(out, 1, &format!("{variant},"));
    }
    line(out, 0, "}\n");
    line(out, 0, &format!("impl {name} {{"));
    line(
        out,
        1,
        "pub(crate) fn decode(r: &mut Reader<'_>) -> Result<Self, Malformed> {",
    );
    line(out, 2, "match r.long()? {");
    for (i, symbol) in symbols.iter().enumerate() {
        line(out, 3, &format!("{i} => Ok(Self::{}),", camel_case(symbol)));
    }
    line(out, 3, "_ => Err(Malformed::Choice),");
    line(out, 2, "}");
    line(out, 1, "}\n");
    line(out, 1, "pub(crate) fn encode(self, out: &mut Vec<u8>) {");
    line(out, 2, "wire::put_int(out, self as i32);");
    line(out, 1, "}");
    line(out, 0, "}\n");
}

fn serde_attribute(record: &str, field: &Field) -> Option<String> {
    let mut parts = Vec::new();
    if rust_name(record, field) != field.name {
        parts.push(format!("rename = \"{}\"", field.name));
    }
    if field.has_default {
        parts.push("default".to_owned());
    }
    let is_bytes = match &field.shape {
        Shape::Optional(inner) => **inner == Shape::Bytes,
        shape => *shape == Shape::Bytes,
    };
    if is_bytes {
        parts.push("with = \"serde_bytes\"".to_owned());
    }
    (!parts.is_empty()).then(|| format!("#[serde({})]", parts.join(", ")))
}

fn rust_name(record: &str, field: &Field) -> String {
    RENAMED
        .iter()
        .find(|(of, name, _)| (*of, *name) == (record, field.name.as_str()))
        .map_or_else(|| field.name.clone(), |(_, _, renamed)| (*renamed).to_owned())
}

/// `DeviceEvent` → `device_event`.
pub fn snake_case(name: &str) -> String {
    let mut out = String::new();
    for (i, c) in name.chars().enumerate() {
        if c.is_ascii_uppercase() && i > 0 {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

/// `DEVICE_CONNECTED` → `DeviceConnected`.
fn camel_case(symbol: &str) -> String {
    let part = |part: &str| {
        let (first, rest) = part.split_at(part.len().min(1));
        first.to_ascii_uppercase() + &rest.to_ascii_lowercase()
    };
    symbol.split('_').map(part).collect()
}

fn doc_line(out: &mut String, depth: usize, doc: &str) {
    line(out, depth, &format!("/// {doc}"));
}

fn line(out: &mut String, depth: usize, text: &str) {
    writeln!(out, "{}{text}", "    ".repeat(depth)).expect("writing to a string");
}
