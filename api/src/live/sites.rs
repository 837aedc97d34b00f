//! Sites of optical networks: what the cards of each (root, site) are.

use std::collections::BTreeMap;

use model::{Kind, State};
use serde::Serialize;
use utoipa::ToSchema;

use super::query::Narrow;
use super::state::LiveState;

/// A site as one system has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SiteItem {
    /// The system.
    pub root: String,
    /// The site's name.
    pub site: String,
    /// up, down, absent, unknown.
    #[schema(value_type = String)]
    pub state: State,
    /// Its cards, and those in each state.
    pub cards: u32,
    /// See `cards`.
    pub cards_up: u32,
    /// See `cards`.
    pub cards_down: u32,
    /// See `cards`.
    pub cards_absent: u32,
    /// See `cards`.
    pub cards_unknown: u32,
}

impl LiveState {
    /// A tenant's sites that have cards, or a state of their own; by root and name.
    pub fn sites(&self, tenant: &str) -> Vec<SiteItem> {
        let mut sites: BTreeMap<(String, String), SiteItem> = BTreeMap::new();
        for node in self.of_tenant(tenant) {
            if !matches!(node.kind, Kind::Site | Kind::Card) {
                continue;
            }
            let root = self.nodes[node.root as usize].id.to_string();
            let site = match node.kind {
                Kind::Site => node.own_site(),
                _ => self.site_of(node),
            };
            let named = || node.id.split_once("/site/").map(|(_, written)| read(written));
            let Some(name) = site.map(|s| self.interner.text(s).to_string()).or_else(named) else {
                continue;
            };
            let item = sites.entry((root.clone(), name.clone())).or_insert_with(|| SiteItem {
                root,
                site: name,
                state: State::Unknown,
                cards: 0,
                cards_up: 0,
                cards_down: 0,
                cards_absent: 0,
                cards_unknown: 0,
            });
            if node.kind == Kind::Site {
                item.state = node.state();
                continue;
            }
            item.cards += 1;
            *match node.state() {
                State::Up => &mut item.cards_up,
                State::Down => &mut item.cards_down,
                State::Absent => &mut item.cards_absent,
                _ => &mut item.cards_unknown,
            } += 1;
        }
        sites.into_values().collect()
    }

    /// Ids of a tenant's entities, in tree order.
    pub fn ids(&self, tenant: &str, narrow: &Narrow) -> Vec<String> {
        let nodes = self.of_tenant(tenant).filter(|node| self.matches(node, narrow));
        nodes.map(|node| node.id.to_string()).collect()
    }
}

/// A site's name as it was before its id was made: `+` and two hexadecimal digits stand for a byte.
fn read(written: &str) -> String {
    let mut bytes = Vec::with_capacity(written.len());
    let mut rest = written.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let digits = tail
            .get(..2)
            .filter(|_| byte == b'+')
            .and_then(|d| std::str::from_utf8(d).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(byte);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn a_name_is_read_back() {
        let check = |written: &str, expected: &str| assert_eq!(read(written), expected);
        check("POP-A", "POP-A");
        check("S+C3+A3o+20Paulo", "São Paulo");
        check("a+", "a+");
        check("a+zz", "a+zz");
    }
}
