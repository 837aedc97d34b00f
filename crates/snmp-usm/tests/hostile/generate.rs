//! Hostile SNMPv3 datagrams of our own making, from a seed: every class of harm a sender can do, and harmless oddities
//! that must be taken. They are built as trees of elements, so that a change deep inside can be signed and encrypted again
//! and reaches the layer it is meant for.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use super::primitives::{Kind, Sender};

/// How an element's length is written.
#[derive(Debug, Clone)]
pub enum Form {
    /// Shortest, as everyone does.
    Short,
    /// So many octets of it: legal (RFC 3417 §8 asks for definite, not for shortest).
    Long(usize),
    /// Exactly these octets, true or not.
    Raw(Vec<u8>),
}

/// An element that can be changed.
#[derive(Debug, Clone)]
pub struct Node {
    pub tag: u8,
    pub form: Form,
    pub body: Body,
}

#[derive(Debug, Clone)]
pub enum Body {
    Leaf(Vec<u8>),
    Branch(Vec<Node>),
}

impl Node {
    pub fn leaf(tag: u8, content: &[u8]) -> Self {
        Self {
            tag,
            form: Form::Short,
            body: Body::Leaf(content.to_vec()),
        }
    }

    pub fn branch(tag: u8, children: Vec<Self>) -> Self {
        Self {
            tag,
            form: Form::Short,
            body: Body::Branch(children),
        }
    }

    pub fn int(n: i64) -> Self {
        let mut octets = n.to_be_bytes().to_vec();
        while octets.len() > 1 && (octets[0] == 0 && octets[1] < 128 || octets[0] == 255 && octets[1] >= 128) {
            octets.remove(0);
        }
        Self::leaf(2, &octets)
    }

    pub fn bytes(&self) -> Vec<u8> {
        let content = match &self.body {
            Body::Leaf(octets) => octets.clone(),
            Body::Branch(children) => children.iter().flat_map(Self::bytes).collect(),
        };
        let mut out = vec![self.tag];
        match &self.form {
            Form::Short if content.len() < 128 => out.push(content.len() as u8),
            Form::Short => long(&mut out, content.len(), if content.len() < 256 { 1 } else { 2 }),
            Form::Long(octets) => long(&mut out, content.len(), *octets),
            Form::Raw(octets) => out.extend(octets),
        }
        out.extend(content);
        out
    }

    /// How many elements it is, itself included.
    pub fn count(&self) -> usize {
        match &self.body {
            Body::Leaf(_) => 1,
            Body::Branch(children) => 1 + children.iter().map(Self::count).sum::<usize>(),
        }
    }

    /// The `n`th element, parents before children.
    pub fn at(&mut self, n: usize) -> &mut Self {
        if n == 0 {
            return self;
        }
        let Body::Branch(children) = &mut self.body else {
            panic!("no such element")
        };
        let mut n = n - 1;
        for child in children {
            let count = child.count();
            if n < count {
                return child.at(n);
            }
            n -= count;
        }
        panic!("no such element")
    }
}

fn long(out: &mut Vec<u8>, length: usize, octets: usize) {
    out.push(0x80 | octets as u8);
    let digits = length.to_be_bytes();
    let pad = octets.saturating_sub(digits.len());
    out.extend(std::iter::repeat_n(0, pad));
    out.extend(&digits[digits.len() - (octets - pad)..]);
}

/// A message as two trees: what is around, and the scoped PDU (which may be encrypted).
#[derive(Debug, Clone)]
pub struct Draft {
    pub sender: Sender,
    pub frame: Node,
    pub parameters: Node,
    pub scoped: Node,
}

const ID: &[u8] = &[0x2B, 6, 1, 4, 1, 0x8F, 0x5B, 6, 3];

impl Draft {
    pub fn new(sender: Sender) -> Self {
        let inform = sender.inform;
        let pair = |oid: &[u8], value| Node::branch(0x30, vec![Node::leaf(6, oid), value]);
        let pdu = Node::branch(
            if inform { 0xA6 } else { 0xA7 },
            vec![
                Node::int(77),
                Node::int(0),
                Node::int(0),
                Node::branch(
                    0x30,
                    vec![
                        pair(&[0x2B, 6, 1, 2, 1, 1, 3, 0], Node::leaf(0x43, &[0x10, 0x92])),
                        pair(
                            &[0x2B, 6, 1, 6, 3, 1, 1, 4, 1, 0],
                            Node::leaf(6, &[0x2B, 6, 1, 6, 3, 1, 1, 5, 3]),
                        ),
                        pair(ID, Node::int(-1)),
                        pair(ID, Node::leaf(4, b"EG8145V5")),
                        pair(ID, Node::leaf(0x46, &[0, 255, 255, 255, 255, 255, 255, 255, 255])),
                        pair(ID, Node::leaf(0x40, &[192, 0, 2, 1])),
                        pair(ID, Node::leaf(0x41, &[0, 255, 255, 255, 255])),
                        pair(ID, Node::leaf(0x42, &[7])),
                        pair(ID, Node::leaf(0x44, &[1, 2, 3])),
                        pair(ID, Node::leaf(5, &[])),
                        pair(ID, Node::leaf(0x80, &[])),
                        pair(ID, Node::leaf(0x81, &[])),
                        pair(ID, Node::leaf(0x82, &[])),
                    ],
                ),
            ],
        );
        let scoped = Node::branch(0x30, vec![Node::leaf(4, &sender.engine), Node::leaf(4, b"ctx"), pdu]);
        let (mac, salt) = match sender.kind {
            Kind::Open => (0, 0),
            Kind::Signed => (12, 0),
            Kind::Aes => (24, 8),
            Kind::Des => (12, 8),
        };
        let flags = sender.kind.flags() | if inform { 4 } else { 0 };
        let parameters = Node::branch(
            0x30,
            vec![
                Node::leaf(4, &sender.engine),
                Node::int(i64::from(sender.boots)),
                Node::int(i64::from(sender.time)),
                Node::leaf(4, sender.kind.user()),
                Node::leaf(4, &vec![0; mac]),
                Node::leaf(4, &[9; 8][..salt]),
            ],
        );
        let frame = Node::branch(
            0x30,
            vec![
                Node::int(3),
                Node::branch(
                    0x30,
                    vec![
                        Node::int(4_711),
                        Node::int(65_507),
                        Node::leaf(4, &[flags]),
                        Node::int(3),
                    ],
                ),
                Node::leaf(4, &[]),
                Node::leaf(4, &[]),
            ],
        );
        Self {
            sender,
            frame,
            parameters,
            scoped,
        }
    }

    pub fn parts(&mut self) -> [&mut Node; 3] {
        [&mut self.frame, &mut self.parameters, &mut self.scoped]
    }

    /// The datagram, signed and encrypted by its sender as far as its form still allows.
    pub fn datagram(&self) -> Vec<u8> {
        let scoped = self.scoped.bytes();
        let parameters = self.parameters.bytes();
        let mut frame = self.frame.clone();
        // The two placeholders: parameters (with another tag perhaps), data.
        if let Body::Branch(children) = &mut frame.body
            && let [_, _, holder, data] = &mut children[..]
        {
            if matches!(&holder.body, Body::Leaf(l) if l.is_empty()) {
                holder.body = Body::Leaf(parameters.clone());
            }
            if matches!(&data.body, Body::Leaf(l) if l.is_empty()) {
                if self.sender.kind.encrypts() {
                    data.body = Body::Leaf(self.sender.encrypt(scoped));
                } else {
                    // The scoped PDU stands there itself.
                    let mut bytes = with_last(&frame, &scoped);
                    self.sender.sign(&mut bytes, &parameters);
                    return bytes;
                }
            }
        }
        let mut bytes = frame.bytes();
        self.sender.sign(&mut bytes, &parameters);
        bytes
    }
}

impl Draft {
    /// The datagram with so many octets of the right digest (zeros where there are no more).
    pub fn with_digest_of(mut self, length: usize) -> Vec<u8> {
        let mark: Vec<u8> = (0..length).map(|i| 0xB0 ^ i as u8).collect();
        *self.parameters.at(5) = Node::leaf(4, &mark);
        let mut datagram = self.datagram();
        let Some(at) = datagram.windows(length.max(1)).position(|w| w == mark) else {
            return datagram;
        };
        datagram[at..at + length].fill(0);
        let mut digest = self.sender.kind.whole_digest(&self.sender.engine, &datagram);
        digest.resize(length, 0);
        datagram[at..at + length].copy_from_slice(&digest);
        datagram
    }
}

/// The frame with raw octets in place of its last child.
fn with_last(frame: &Node, last: &[u8]) -> Vec<u8> {
    let Body::Branch(children) = &frame.body else {
        return frame.bytes();
    };
    let mut content: Vec<u8> = children[..children.len() - 1].iter().flat_map(Node::bytes).collect();
    content.extend(last);
    Node {
        body: Body::Leaf(content),
        ..frame.clone()
    }
    .bytes()
}

/// Numbers from a seed (splitmix64), the same everywhere.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % sides as u64) as usize
    }
}

/// Calls `give` with (class, datagram), in the same order each time.
pub fn all(seed: u64, mut give: impl FnMut(&'static str, Vec<u8>)) {
    let drafts: Vec<Draft> = Sender::all().into_iter().map(Draft::new).collect();
    for draft in &drafts {
        let whole = draft.datagram();
        give("whole", whole.clone());
        truncations(&whole, &mut give);
        bit_flips(&whole, &mut give);
        elements(draft, &mut give);
        headers(draft, &mut give);
        identifiers(draft, &mut give);
        give_extremes(draft, &mut give);
    }
    let mut dice = Dice(seed);
    for _ in 0..12_000 {
        mutation(&drafts[dice.roll(drafts.len())], &mut dice, &mut give);
    }
}

fn truncations(whole: &[u8], give: &mut impl FnMut(&'static str, Vec<u8>)) {
    for length in 0..whole.len() {
        give("truncated", whole[..length].to_vec());
    }
    for more in [1, 2, 100] {
        give("trailing", [whole, &vec![0; more]].concat());
    }
}

fn bit_flips(whole: &[u8], give: &mut impl FnMut(&'static str, Vec<u8>)) {
    for bit in 0..whole.len() * 8 {
        let mut flipped = whole.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        give("bit flip", flipped);
    }
}

/// Every element with every tag and every form of length, signed again.
fn elements(draft: &Draft, give: &mut impl FnMut(&'static str, Vec<u8>)) {
    for part in 0..3 {
        let count = draft.clone().parts()[part].count();
        for n in 0..count {
            let mut change = |class, change: &dyn Fn(&mut Node)| {
                let mut draft = draft.clone();
                change(draft.parts()[part].at(n));
                give(class, draft.datagram());
            };
            for tag in 0..=255 {
                change("tag", &|node| node.tag = tag);
            }
            for octets in [1, 2, 3, 4, 5, 9, 20, 126] {
                change("long length", &|node| node.form = Form::Long(octets));
            }
            for raw in [
                &[0x80][..],
                &[0xFF],
                &[],
                &[0x81],
                &[0x84, 0xFF, 0xFF, 0xFF, 0xFF],
                &[0x84, 0x7F, 0xFF, 0xFF, 0xFF],
                &[0x88, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF],
                &[0x89, 1, 0, 0, 0, 0, 0, 0, 0, 5],
                &[0],
                &[1],
                &[0x7F],
                &[0x82, 0xFF, 0xFF],
            ] {
                change("raw length", &|node| node.form = Form::Raw(raw.to_vec()));
            }
            for content in [
                &[][..],
                &[0],
                &[0x80],
                &[0xFF],
                &[0, 0x7F],
                &[0xFF, 0x80],
                &[0x7F, 0xFF, 0xFF, 0xFF],
                &[0, 0x80, 0, 0, 0],
                &[0x80, 0, 0, 0],
                &[1, 0, 0, 0, 0],
                &[0, 0xFF, 0xFF, 0xFF, 0xFF],
                &[0, 0, 0, 0, 0],
                &[0xFF; 9],
                &[0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF],
                &[1, 0, 0, 0, 0, 0, 0, 0, 0],
                &[0; 40],
            ] {
                change("content", &|node| node.body = Body::Leaf(content.to_vec()));
            }
            change("doubled", &|node| {
                let twin = node.clone();
                if let Body::Branch(children) = &mut node.body {
                    children.push(twin);
                }
            });
        }
    }
}

/// Digest and salt of every length; other versions, models, flags, engines, clocks, users, sizes.
fn headers(draft: &Draft, give: &mut impl FnMut(&'static str, Vec<u8>)) {
    let clock = [
        -1, 0, 1, 6, 7, 8, 449, 450, 451, 599, 600, 749, 750, 751, 1_083, 1_084, 1_384, 1_385,
    ];
    for n in clock
        .into_iter()
        .chain([2_147_483_646, 2_147_483_647, 2_147_483_648, 4_294_967_296])
    {
        for (class, at) in [("boots", 2), ("time", 3)] {
            let mut draft = draft.clone();
            *draft.parameters.at(at) = Node::int(n);
            // Its sender means it: it encrypts with it too.
            let believed = if at == 2 {
                &mut draft.sender.boots
            } else {
                &mut draft.sender.time
            };
            *believed = u32::try_from(n).unwrap_or(*believed);
            give(class, draft.datagram());
        }
    }
    let mut parameter = |class, at: usize, node: Node| {
        let mut draft = draft.clone();
        *draft.parameters.at(at) = node;
        give(class, draft.datagram());
    };
    for length in 0..=70 {
        parameter("mac length", 5, Node::leaf(4, &vec![0; length]));
        parameter("salt length", 6, Node::leaf(4, &vec![3; length]));
        parameter("user", 4, Node::leaf(4, &vec![b'u'; length]));
        parameter("engine", 1, Node::leaf(4, &vec![0x81; length]));
        parameter("engine", 1, Node::leaf(4, &vec![0; length]));
        parameter("engine", 1, Node::leaf(4, &vec![255; length]));
    }
    for kind in Kind::ALL {
        parameter("user", 4, Node::leaf(4, kind.user()));
    }
    let mut frame = |class, at: usize, node: Node| {
        let mut draft = draft.clone();
        *draft.frame.at(at) = node;
        give(class, draft.datagram());
    };
    for n in [
        -1,
        0,
        1,
        2,
        3,
        4,
        5,
        255,
        256,
        483,
        484,
        485,
        2_147_483_647,
        2_147_483_648,
    ] {
        frame("version", 1, Node::int(n));
        frame("message id", 3, Node::int(n));
        frame("max size", 4, Node::int(n));
        frame("security model", 6, Node::int(n));
    }
    for flags in 0..=255 {
        frame("flags", 5, Node::leaf(4, &[flags]));
    }
}

/// Names of varbinds: too long, too large, padded, cut, and just within.
fn identifiers(draft: &Draft, give: &mut impl FnMut(&'static str, Vec<u8>)) {
    let arcs = |n: usize| [&[0x2B][..], &vec![1; n - 2]].concat();
    let max = [0x2B, 0x8F, 0xFF, 0xFF, 0xFF, 0x7F];
    let over = [0x2B, 0x90, 0x80, 0x80, 0x80, 0x00];
    let huge = [0x2B, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F];
    let first_max = [0x90, 0x80, 0x80, 0x80, 0x4F];
    let first_over = [0x90, 0x80, 0x80, 0x80, 0x50];
    let named: &[&[u8]] = &[
        &arcs(127),
        &arcs(128),
        &arcs(129),
        &arcs(500),
        &max,
        &over,
        &huge,
        &first_max,
        &first_over,
        &[],
        &[0x80],
        &[0x80, 1],
        &[0x2B, 0x80, 1],
        &[0x2B, 0x81],
        &[0x2B, 6, 0xFF],
        &[0],
        &[0x27],
        &[0x28],
        &[0x50],
        &[0x7F],
    ];
    // Names and the values that are names: found by their tag.
    for n in 0..draft.scoped.count() {
        let mut probe = draft.clone();
        if probe.scoped.at(n).tag != 6 {
            continue;
        }
        for content in named {
            let mut draft = draft.clone();
            draft.scoped.at(n).body = Body::Leaf(content.to_vec());
            give("oid", draft.datagram());
        }
    }
}

/// 64 KiB of one thing, and a thousand levels of another.
fn give_extremes(draft: &Draft, give: &mut impl FnMut(&'static str, Vec<u8>)) {
    let value_at = |draft: &Draft, tag: u8| {
        let mut probe = draft.clone();
        (0..draft.scoped.count())
            .rev()
            .find(|n| probe.scoped.at(*n).tag == tag)
            .unwrap()
    };
    let mut large = |tag: u8, length: usize| {
        let at = value_at(draft, tag);
        let mut draft = draft.clone();
        draft.scoped.at(at).body = Body::Leaf(vec![b'x'; length]);
        give("large", draft.datagram());
    };
    for length in [127, 128, 255, 256, 65_000] {
        large(4, length);
        large(0x44, length);
        large(6, length);
    }
    for depth in [10, 1_000, 4_000] {
        let mut nested = vec![0x30, 0];
        for _ in 0..depth {
            let mut outer = Node::leaf(0x30, &nested);
            outer.form = if nested.len() > 60_000 {
                Form::Long(3)
            } else {
                Form::Short
            };
            nested = outer.bytes();
        }
        for place in 0..3 {
            let mut draft = draft.clone();
            draft.parts()[place].at(1).body = Body::Leaf(nested.clone());
            give("nested", draft.datagram());
        }
        give("nested", nested);
    }
    for octet in [0x00, 0x30, 0x80, 0xFF] {
        give("64 KiB", vec![octet; 65_507]);
    }
}

/// One to four random changes, half of them signed again.
fn mutation(draft: &Draft, dice: &mut Dice, give: &mut impl FnMut(&'static str, Vec<u8>)) {
    let mut draft = draft.clone();
    if dice.roll(2) == 0 {
        for _ in 0..=dice.roll(3) {
            let part = dice.roll(3);
            let parts = draft.parts();
            let n = dice.roll(parts[part].count());
            let [frame, parameters, scoped] = parts;
            let node = [frame, parameters, scoped].into_iter().nth(part).unwrap().at(n);
            match dice.roll(5) {
                0 => node.tag = dice.roll(256) as u8,
                1 => node.form = Form::Long(1 + dice.roll(6)),
                2 => node.form = Form::Raw((0..dice.roll(4)).map(|_| dice.roll(256) as u8).collect()),
                3 => node.body = Body::Leaf((0..dice.roll(12)).map(|_| dice.roll(256) as u8).collect()),
                _ => {
                    if let Body::Branch(children) = &mut node.body
                        && !children.is_empty()
                    {
                        let at = dice.roll(children.len());
                        match dice.roll(3) {
                            0 => drop(children.remove(at)),
                            1 => children.insert(at, children[at].clone()),
                            _ => children.swap(0, at),
                        }
                    }
                }
            }
        }
        give("mutated and signed", draft.datagram());
        return;
    }
    let mut bytes = draft.datagram();
    for _ in 0..=dice.roll(4) {
        let at = dice.roll(bytes.len());
        match dice.roll(4) {
            0 => bytes[at] = dice.roll(256) as u8,
            1 => drop(bytes.drain(at..bytes.len().min(at + 1 + dice.roll(4)))),
            2 => bytes
                .splice(at..at, (0..=dice.roll(4)).map(|_| dice.roll(256) as u8))
                .for_each(drop),
            _ => bytes[at] ^= 1 << dice.roll(8),
        }
        if bytes.is_empty() {
            bytes.push(0);
        }
    }
    give("mutated", bytes);
}
