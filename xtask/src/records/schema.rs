//! What the generator understands of an Avro schema.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// The name space of every type.
const NAMESPACE: &str = "atalaia.v1";

/// A type with a name.
#[derive(Debug, Clone, PartialEq)]
pub enum Named {
    Record {
        name: String,
        doc: String,
        fields: Vec<Field>,
    },
    Enum {
        name: String,
        doc: String,
        symbols: Vec<String>,
    },
}

impl Named {
    pub fn name(&self) -> &str {
        match self {
            Self::Record { name, .. } | Self::Enum { name, .. } => name,
        }
    }
}

/// A field of a record.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    pub name: String,
    pub doc: String,
    pub shape: Shape,
    /// A writer without the field is read as if it had written the default, which is the type's own.
    pub has_default: bool,
}

/// What a field holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    Text,
    Bytes,
    Boolean,
    Int,
    Long,
    Double,
    Micros,
    /// A record or an enum, by name.
    Named(String),
    Optional(Box<Shape>),
    Map(Box<Shape>),
    List(Box<Shape>),
}

/// Every named type of a schema's text; a type stands behind those it is made of.
pub fn parse(text: &str) -> Result<Vec<Named>> {
    let value: Value = serde_json::from_str(text).context("not JSON")?;
    if value["namespace"] != NAMESPACE {
        bail!("the name space is not {NAMESPACE}");
    }
    let mut found = Found::default();
    found.shape(&value)?;
    Ok(found.types)
}

#[derive(Default)]
struct Found {
    types: Vec<Named>,
    names: BTreeSet<String>,
}

impl Found {
    fn shape(&mut self, schema: &Value) -> Result<Shape> {
        match schema {
            Value::String(word) => self.word(word),
            Value::Array(branches) => match &branches[..] {
                [Value::String(null), other] if null == "null" => Ok(Shape::Optional(Box::new(self.shape(other)?))),
                _ => bail!("a union is of null first and one other type"),
            },
            Value::Object(_) => self.complex(schema),
            _ => bail!("`{schema}` is not a type"),
        }
    }

    fn word(&self, word: &str) -> Result<Shape> {
        Ok(match word {
            "string" => Shape::Text,
            "bytes" => Shape::Bytes,
            "boolean" => Shape::Boolean,
            "int" => Shape::Int,
            "long" => Shape::Long,
            "double" => Shape::Double,
            "null" | "float" | "fixed" => bail!("there is no code for `{word}`"),
            name if self.names.contains(name) => Shape::Named(name.to_owned()),
            name => bail!("{name} is used before it is complete"),
        })
    }

    fn complex(&mut self, schema: &Value) -> Result<Shape> {
        match (word(schema, "type")?, schema["logicalType"].as_str()) {
            ("long", Some("timestamp-micros")) => Ok(Shape::Micros),
            (_, Some(logical)) => bail!("there is no code for logical type `{logical}`"),
            ("map", None) => Ok(Shape::Map(Box::new(self.shape(&schema["values"])?))),
            ("array", None) => Ok(Shape::List(Box::new(self.shape(&schema["items"])?))),
            ("record", None) => self.record(schema),
            ("enum", None) => {
                let symbols = schema["symbols"].as_array().context("an enum without symbols")?;
                let symbols = symbols.iter().map(|s| s.as_str().map(str::to_owned));
                let named = Named::Enum {
                    name: word(schema, "name")?.to_owned(),
                    doc: doc(schema)?,
                    symbols: symbols.collect::<Option<_>>().context("symbols are words")?,
                };
                Ok(self.add(named))
            }
            (word, None) => self.word(word),
        }
    }

    fn record(&mut self, schema: &Value) -> Result<Shape> {
        let name = word(schema, "name")?.to_owned();
        let fields = schema["fields"].as_array().context("a record without fields")?;
        let fields = fields
            .iter()
            .map(|field| self.field(field).with_context(|| format!("field {}", field["name"])))
            .collect::<Result<_>>()?;
        let doc = doc(schema)?;
        Ok(self.add(Named::Record { name, doc, fields }))
    }

    fn field(&mut self, field: &Value) -> Result<Field> {
        let shape = self.shape(&field["type"])?;
        let has_default = match (field.get("default"), &shape) {
            (None, _) => false,
            (Some(Value::Null), Shape::Optional(_)) => true,
            (Some(Value::Bool(false)), Shape::Boolean) => true,
            (Some(zero), Shape::Int | Shape::Long | Shape::Micros) if *zero == 0 => true,
            (Some(Value::String(text)), Shape::Text | Shape::Bytes) if text.is_empty() => true,
            (Some(Value::Object(map)), Shape::Map(_)) if map.is_empty() => true,
            (Some(Value::Array(list)), Shape::List(_)) if list.is_empty() => true,
            (Some(other), _) => bail!("default {other} is not the one that the Rust type has"),
        };
        Ok(Field {
            name: word(field, "name")?.to_owned(),
            doc: doc(field)?,
            shape,
            has_default,
        })
    }

    fn add(&mut self, named: Named) -> Shape {
        let name = named.name().to_owned();
        self.names.insert(name.clone());
        self.types.push(named);
        Shape::Named(name)
    }
}

fn word<'a>(value: &'a Value, key: &str) -> Result<&'a str> {
    value[key].as_str().with_context(|| format!("no {key}"))
}

fn doc(value: &Value) -> Result<String> {
    word(value, "doc").map(str::to_owned)
}
