//! What the Rust text says for each shape of a field: its types, how it is lent, read and written.

use anyhow::{Result, bail};

use super::rust::Context;
use super::schema::{Named, Shape};

/// Numbers, truth values and enums, and records of these: copied rather than lent.
pub fn is_plain(shape: &Shape, context: &Context<'_>) -> bool {
    match shape {
        Shape::Boolean | Shape::Int | Shape::Long | Shape::Double | Shape::Micros => true,
        Shape::Optional(inner) => is_plain(inner, context),
        Shape::Named(name) => match &context.types[name] {
            Named::Enum { .. } => true,
            Named::Record { fields, .. } => fields.iter().all(|f| is_plain(&f.shape, context)),
        },
        Shape::Text | Shape::Bytes | Shape::Map(_) | Shape::List(_) => false,
    }
}

/// Whether two of it are equal or not: a `double` that is no number is not even equal to itself.
pub fn has_equality(shape: &Shape, context: &Context<'_>) -> bool {
    match shape {
        Shape::Double => false,
        Shape::Optional(inner) | Shape::Map(inner) | Shape::List(inner) => has_equality(inner, context),
        Shape::Named(name) => match &context.types[name] {
            Named::Enum { .. } => true,
            Named::Record { fields, .. } => fields.iter().all(|f| has_equality(&f.shape, context)),
        },
        _ => true,
    }
}

/// Whether it can be read without memory of its own.
pub fn is_borrowable(shape: &Shape, context: &Context<'_>) -> bool {
    match shape {
        Shape::Map(_) | Shape::List(_) => false,
        Shape::Optional(inner) => is_borrowable(inner, context),
        Shape::Named(_) => is_plain(shape, context),
        _ => true,
    }
}

pub fn owned(shape: &Shape) -> Result<String> {
    Ok(match shape {
        Shape::Text => "String".to_owned(),
        Shape::Bytes => "Vec<u8>".to_owned(),
        Shape::Boolean => "bool".to_owned(),
        Shape::Int => "i32".to_owned(),
        Shape::Long => "i64".to_owned(),
        Shape::Double => "f64".to_owned(),
        Shape::Micros => "Micros".to_owned(),
        Shape::Named(name) => name.clone(),
        Shape::Optional(inner) => match **inner {
            Shape::Optional(_) | Shape::Map(_) | Shape::List(_) => bail!("there is no code for an optional collection"),
            _ => format!("Option<{}>", owned(inner)?),
        },
        Shape::Map(values) => format!("BTreeMap<String, {}>", item(values)?),
        Shape::List(items) => format!("Vec<{}>", item(items)?),
    })
}

/// What stands in a map or a list.
fn item(shape: &Shape) -> Result<String> {
    match shape {
        // A plain `Vec<u8>` would be an array to serde.
        Shape::Bytes => Ok("ByteBuf".to_owned()),
        Shape::Text | Shape::Long | Shape::Named(_) => owned(shape),
        other => bail!("there is no code for a collection of {other:?}"),
    }
}

pub fn borrowed(shape: &Shape, context: &Context<'_>) -> String {
    match shape {
        Shape::Text => "&'a str".to_owned(),
        Shape::Bytes => "&'a [u8]".to_owned(),
        Shape::Optional(inner) => format!("Option<{}>", borrowed(inner, context)),
        Shape::Map(values) => format!("&'a BTreeMap<String, {}>", item(values).unwrap_or_default()),
        Shape::List(items) => format!("&'a [{}]", item(items).unwrap_or_default()),
        Shape::Named(name) if !is_plain(shape, context) => format!("{name}View<'a>"),
        other => owned(other).unwrap_or_default(),
    }
}

pub fn lend(field: &str, shape: &Shape, context: &Context<'_>) -> String {
    match shape {
        _ if is_plain(shape, context) => format!("self.{field}"),
        Shape::Optional(inner) => match **inner {
            Shape::Named(ref name) => format!("self.{field}.as_ref().map({name}::view)"),
            _ => format!("self.{field}.as_deref()"),
        },
        Shape::Named(_) => format!("self.{field}.view()"),
        _ => format!("&self.{field}"),
    }
}

/// The call that reads it.
pub fn read_owned(shape: &Shape) -> Result<String> {
    Ok(match shape {
        Shape::Named(name) => format!("{name}::decode(r)"),
        Shape::Optional(inner) => format!("r.optional({})", reader(inner)?),
        Shape::Map(values) => format!("r.map({})", item_reader(values)?),
        Shape::List(items) => format!("r.list({})", item_reader(items)?),
        simple => format!("r.{}()", method(simple)),
    })
}

pub fn read_borrowed(shape: &Shape) -> Result<String> {
    let lent = |shape: &Shape| match shape {
        Shape::Text => Some("text"),
        Shape::Bytes => Some("bytes"),
        _ => None,
    };
    if let Shape::Optional(inner) = shape
        && let Some(method) = lent(inner)
    {
        return Ok(format!("r.optional(Reader::{method})"));
    }
    lent(shape).map_or_else(|| read_owned(shape), |method| Ok(format!("r.{method}()")))
}

/// The function that reads it.
fn reader(shape: &Shape) -> Result<String> {
    Ok(match shape {
        Shape::Named(name) => format!("{name}::decode"),
        Shape::Optional(_) | Shape::Map(_) | Shape::List(_) => bail!("there is no code for a collection inside"),
        simple => format!("Reader::{}", method(simple)),
    })
}

fn item_reader(shape: &Shape) -> Result<String> {
    match shape {
        Shape::Bytes => Ok("Reader::byte_buf".to_owned()),
        _ => reader(shape),
    }
}

fn method(shape: &Shape) -> &'static str {
    match shape {
        Shape::Text => "string",
        Shape::Bytes => "byte_vec",
        Shape::Boolean => "boolean",
        Shape::Int => "int",
        Shape::Double => "double",
        Shape::Micros => "micros",
        _ => "long",
    }
}

/// The statement that writes a place of this shape.
pub fn put(place: &str, shape: &Shape) -> String {
    match shape {
        Shape::Named(_) => format!("{place}.encode(out);"),
        Shape::Optional(inner) => match **inner {
            Shape::Named(_) => format!("wire::put_optional(out, {place}, |out, value| value.encode(out));"),
            _ => format!("wire::put_optional(out, {place}, wire::{});", putter(inner)),
        },
        Shape::Map(values) => format!("wire::put_map(out, {place}, {});", item_putter(values)),
        Shape::List(items) => format!("wire::put_list(out, {place}, {});", item_putter(items)),
        simple => format!("wire::{}(out, {place});", putter(simple)),
    }
}

fn putter(shape: &Shape) -> &'static str {
    match shape {
        Shape::Text => "put_text",
        Shape::Bytes => "put_bytes",
        Shape::Boolean => "put_boolean",
        Shape::Int => "put_int",
        Shape::Double => "put_double",
        Shape::Micros => "put_micros",
        _ => "put_long",
    }
}

fn item_putter(shape: &Shape) -> String {
    match shape {
        Shape::Long => "|out, value| wire::put_long(out, *value)".to_owned(),
        Shape::Named(_) => "|out, value| value.encode(out)".to_owned(),
        other => format!("|out, value| wire::{}(out, value)", putter(other)),
    }
}
