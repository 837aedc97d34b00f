//! What a rule or a silence applies to, ready to be asked.

use model::{EntityId, Kind, Tenant};

use super::FieldError;
use super::check::{Errors, LIMITS, is_text, one_line, word};
use crate::Scope;
use crate::network::About;

/// A scope with checked words. A word that is not given fits everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RuleScope {
    tenant: Option<Box<str>>,
    kind: Option<Kind>,
    vendor: Option<Box<str>>,
    family: Option<Box<str>>,
    model: Option<Box<str>>,
    site: Option<Box<str>>,
    entity: Option<Box<str>>,
}

impl Scope {
    /// A scope in which no word is given.
    pub const EVERYTHING: Self = Self {
        tenant: None,
        kind: None,
        vendor: None,
        family: None,
        model: None,
        site: None,
        entity: None,
    };
}

impl RuleScope {
    /// Checks a scope alone: that of a silence.
    ///
    /// # Errors
    /// With every field that is wrong.
    pub fn parse(scope: &Scope) -> Result<Self, Vec<FieldError>> {
        let mut errors = Errors::default();
        let parsed = Self::new(scope, &mut errors);
        parsed.ok_or_else(|| errors.into_list())
    }

    pub(super) fn new(scope: &Scope, errors: &mut Errors) -> Option<Self> {
        let before = errors.count();
        let mut text = |field, text: &Option<String>, bytes| {
            let text = text.as_deref()?;
            if !is_text(text, bytes) {
                errors.add(field, one_line(bytes));
            }
            Some(Box::from(text))
        };
        let mut parsed = Self {
            tenant: text("scope.tenant", &scope.tenant, LIMITS.name_bytes),
            kind: None,
            vendor: text("scope.vendor", &scope.vendor, LIMITS.name_bytes),
            family: text("scope.family", &scope.family, LIMITS.name_bytes),
            model: text("scope.model", &scope.model, LIMITS.name_bytes),
            site: text("scope.site", &scope.site, LIMITS.name_bytes),
            entity: text("scope.entity", &scope.entity, LIMITS.message_bytes),
        };
        if let Some(tenant) = &parsed.tenant
            && Tenant::parse(tenant).is_err()
        {
            errors.add("scope.tenant", "has to be a tenant's name");
        }
        if let Some(kind) = &scope.kind {
            parsed.kind = word("scope.kind", kind, Kind::ALL, errors);
        }
        (errors.count() == before).then_some(parsed)
    }

    /// Whether an entity is inside. `site` is its own, or its root's where it has none.
    pub fn fits(&self, entity: &EntityId, about: &About, site: Option<&str>) -> bool {
        let said = |pattern: &Option<Box<str>>, word: Option<&str>| match (pattern, word) {
            (None, _) => true,
            (Some(pattern), Some(word)) => matches_any_case(pattern, word),
            (Some(_), None) => false,
        };
        self.kind.is_none_or(|kind| kind == entity.kind())
            && self.tenant.as_deref().is_none_or(|tenant| tenant_of(entity) == tenant)
            && said(&self.vendor, about.vendor.as_deref())
            && said(&self.family, about.family.as_deref())
            && said(&self.model, about.model.as_deref())
            && self.site.as_deref().is_none_or(|wanted| site == Some(wanted))
            && self
                .entity
                .as_deref()
                .is_none_or(|pattern| matches(pattern, entity.as_str()))
    }
}

fn tenant_of(entity: &EntityId) -> &str {
    entity.as_str().split('/').next().unwrap_or_default()
}

/// `*` stands for any run of characters, also of none; everything else for itself.
fn matches(pattern: &str, text: &str) -> bool {
    wildcard(pattern.as_bytes(), text.as_bytes(), |a, b| a == b)
}

/// As [`matches()`], A and a being one letter.
fn matches_any_case(pattern: &str, text: &str) -> bool {
    wildcard(pattern.as_bytes(), text.as_bytes(), |a, b| a.eq_ignore_ascii_case(&b))
}

/// Goes back to the last `*` only, so it ends after at most (pattern × text) steps.
fn wildcard(pattern: &[u8], text: &[u8], same: impl Fn(u8, u8) -> bool) -> bool {
    let (mut at, mut of) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while of < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at + 1, of));
                at += 1;
            }
            Some(&byte) if same(byte, text[of]) => {
                at += 1;
                of += 1;
            }
            _ => match &mut star {
                Some((after, from)) => {
                    *from += 1;
                    (at, of) = (*after, *from);
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|&byte| byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_run() {
        for (pattern, text, fits) in [
            ("", "", true),
            ("*", "", true),
            ("*", "a/b", true),
            ("a*", "abc", true),
            ("a*c", "abcbc", true),
            ("a*c", "abcb", false),
            ("*/card/EOA*", "default/padtec/nms-1/card/EOA1-HA#3", true),
            ("*/card/EOA*", "default/padtec/nms-1/card/ROA1-HA#3", false),
            ("a", "A", false),
            ("**b**", "abc", true),
        ] {
            assert_eq!(matches(pattern, text), fits, "`{pattern}` `{text}`");
        }
        let hostile = "*a".repeat(100);
        assert!(!matches(&hostile, &"a".repeat(99)), "it ends");
    }

    #[test]
    fn every_given_word_has_to_fit() {
        #[track_caller]
        fn check(change: impl FnOnce(&mut Scope), fits: bool) {
            let entity = EntityId::parse("default/padtec/nms-1/card/ROA1-HA#374").unwrap();
            let about = About {
                vendor: Some("Padtec".into()),
                family: Some("AMPLIFIER".into()),
                model: Some("ROA1-HA-E29001-TR".into()),
                ..About::default()
            };
            let mut scope = Scope::EVERYTHING;
            change(&mut scope);
            let scope = RuleScope::parse(&scope).unwrap();
            assert_eq!(scope.fits(&entity, &about, Some("POP-A")), fits, "{scope:?}");
        }
        check(|_| {}, true);
        check(|s| s.kind = Some("card".into()), true);
        check(|s| s.kind = Some("onu".into()), false);
        check(|s| s.tenant = Some("default".into()), true);
        check(|s| s.tenant = Some("other".into()), false);
        check(|s| s.vendor = Some("PADTEC".into()), true);
        check(|s| s.model = Some("roa1*".into()), true);
        check(|s| s.model = Some("EOA*".into()), false);
        check(|s| s.site = Some("POP-A".into()), true);
        check(|s| s.site = Some("pop-a".into()), false);
        check(|s| s.entity = Some("*/card/*".into()), true);
        let wrong = Scope {
            kind: Some("router".into()),
            site: Some(String::new()),
            ..Scope::EVERYTHING
        };
        let fields: Vec<_> = RuleScope::parse(&wrong).unwrap_err().iter().map(|e| e.field).collect();
        assert_eq!(fields, ["scope.site", "scope.kind"]);
    }
}
