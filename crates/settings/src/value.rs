//! Checks of single values. An error names what is wrong and what would be right; values of secrets are never quoted.

use std::net::{IpAddr, SocketAddr};

use crate::error::quote;
use crate::schema::Kind;
use crate::suggest::nearest;
use model::Cidr;
use model::Secret;

const TEXT_BYTES_MAX: usize = 256;
const PATH_BYTES_MAX: usize = 4096;

/// A value that passed.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Text(String),
    Integer(i64),
    Listen(SocketAddr),
    Ip(IpAddr),
    Cidrs(Vec<Cidr>),
    List(Vec<String>),
    Secret(Secret),
}

/// What is wrong, and what would be right.
pub(crate) type Wrong = (String, String);

/// Checks a value as it stands in the file. Secrets are resolved elsewhere.
pub(crate) fn from_toml(kind: Kind, value: &toml_edit::Value) -> Result<Value, Wrong> {
    let wrong_type = || {
        (
            format!("is {}", article(value.type_name())),
            format!("write {}", kind.expected()),
        )
    };
    match kind {
        Kind::Integer { min, max } => integer(value.as_integer().ok_or_else(wrong_type)?, min, max),
        Kind::Cidrs | Kind::Hosts | Kind::EngineIds => {
            let array = value.as_array().ok_or_else(wrong_type)?;
            let items: Option<Vec<&str>> = array.iter().map(toml_edit::Value::as_str).collect();
            list(
                kind,
                &items.ok_or_else(|| {
                    (
                        "has an item that is not a text".into(),
                        format!("write {}", kind.expected()),
                    )
                })?,
            )
        }
        _ => text(kind, value.as_str().ok_or_else(wrong_type)?),
    }
}

/// Checks a value as it stands in an environment variable: lists are separated by commas.
pub(crate) fn from_variable(kind: Kind, value: &str) -> Result<Value, Wrong> {
    match kind {
        Kind::Integer { min, max } => {
            let number = value.trim().parse();
            integer(
                number.map_err(|_| {
                    (
                        format!("{} is not a number", quote(value)),
                        format!("write {}", kind.expected()),
                    )
                })?,
                min,
                max,
            )
        }
        Kind::Cidrs | Kind::Hosts | Kind::EngineIds => list(kind, &value.split(',').map(str::trim).collect::<Vec<_>>()),
        _ => text(kind, value),
    }
}

fn article(type_name: &str) -> String {
    match type_name {
        "integer" | "array" | "inline table" => format!("an {type_name}"),
        "array of tables" => "an array of tables (`[[…]]`)".to_owned(),
        "string" => "a text".to_owned(),
        "boolean" => "true or false".to_owned(),
        _ => format!("a {type_name}"),
    }
}

/// "is a table", in words for people.
pub(crate) fn is_a(type_name: &str) -> String {
    format!("is {}", article(type_name))
}

fn integer(number: i64, min: i64, max: i64) -> Result<Value, Wrong> {
    if (min..=max).contains(&number) {
        Ok(Value::Integer(number))
    } else {
        Err((
            format!("{number} is out of range"),
            format!("write a whole number from {min} to {max}"),
        ))
    }
}

fn list(kind: Kind, items: &[&str]) -> Result<Value, Wrong> {
    if items.is_empty() || items == [""] {
        return Err((
            "is empty".to_owned(),
            format!("write {}, or leave the key out", kind.expected()),
        ));
    }
    if kind == Kind::Cidrs {
        let cidrs = items.iter().map(|i| {
            i.parse::<Cidr>()
                .map_err(|e| (format!("{} {}", quote(i), e.wrong), e.right))
        });
        return Ok(Value::Cidrs(cidrs.collect::<Result<_, _>>()?));
    }
    let (fits, what): (fn(&str) -> bool, _) = match kind {
        Kind::EngineIds => (is_engine_id, "an engine id"),
        _ => (is_host_port, "a host and a port"),
    };
    match items.iter().find(|i| !fits(i)) {
        Some(bad) => Err((
            format!("{} is not {what}", quote(bad)),
            format!("write {}", kind.expected()),
        )),
        None => Ok(Value::List(items.iter().map(|&i| i.to_owned()).collect())),
    }
}

fn text(kind: Kind, text: &str) -> Result<Value, Wrong> {
    let write = || format!("write {}", kind.expected());
    let not = |what: &str| (format!("{} is not {what}", quote(text)), write());
    if text.is_empty() {
        return Err(("is empty".to_owned(), write()));
    }
    match kind {
        Kind::Name if !model::is_name(text) => Err(not("a name")),
        Kind::Text if text.len() > TEXT_BYTES_MAX || text.chars().any(char::is_control) => Err((
            format!("is longer than {TEXT_BYTES_MAX} bytes or has control characters"),
            write(),
        )),
        Kind::Path if text.len() > PATH_BYTES_MAX || text.contains('\0') => Err(("is not a path".to_owned(), write())),
        Kind::OneOf(words) if !words.contains(&text) => {
            let hint = nearest(text, words.iter().copied()).map(|w| format!("did you mean {}? ", quote(w)));
            Err((
                format!("{} is not known", quote(text)),
                format!("{}write {}", hint.unwrap_or_default(), kind.expected()),
            ))
        }
        Kind::Listen => text
            .parse()
            .map(Value::Listen)
            .map_err(|_| not("an address and a port")),
        Kind::Ip => text.parse().map(Value::Ip).map_err(|_| not("an IP address")),
        // Not quoted: a URL may hold a password.
        Kind::Url => url(text).map_err(|wrong| (wrong.to_owned(), write())),
        Kind::Brokers if !text.split(',').all(|b| is_host_port(b.trim())) => Err(not("a list of hosts and ports")),
        _ => Ok(Value::Text(text.to_owned())),
    }
}

fn url(text: &str) -> Result<Value, &'static str> {
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    let rest = rest.ok_or("is not an http address")?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err("holds a user or password");
    }
    if authority.is_empty() || text.len() > TEXT_BYTES_MAX || text.chars().any(|c| c.is_whitespace() || c.is_control())
    {
        return Err("is not an http address");
    }
    Ok(Value::Text(text.to_owned()))
}

/// 5 to 32 octets in hexadecimal (RFC 3411 §5, SnmpEngineID), with or without `0x`.
fn is_engine_id(text: &str) -> bool {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    let is = |digit: u8| digits.bytes().all(|d| d == digit || d == digit.to_ascii_uppercase());
    digits.len().is_multiple_of(2)
        && (10..=64).contains(&digits.len())
        && digits.bytes().all(|d| d.is_ascii_hexdigit())
        && !is(b'0')
        && !is(b'f')
}

/// `host:port` or `[v6]:port`.
fn is_host_port(text: &str) -> bool {
    if let Ok(address) = text.parse::<SocketAddr>() {
        return address.port() != 0;
    }
    text.rsplit_once(':').is_some_and(|(host, port)| {
        !host.is_empty()
            && host.len() <= 253
            && host
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-')
            && port.parse::<u16>().is_ok_and(|p| p != 0)
    })
}
