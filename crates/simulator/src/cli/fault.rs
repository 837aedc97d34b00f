//! What goes wrong with a command line, on demand.

/// One fault of one OLT. Those before the dialogue concern the next connection, those of the dialogue the next output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CliFault {
    /// TCP is accepted, and that was all.
    HangAtAccept,
    /// Half a version string.
    HangAtVersion,
    /// The version string, and no key exchange.
    HangAtKeyExchange,
    /// A password is neither taken nor refused.
    HangAtAuthentication,
    /// A shell is neither granted nor refused.
    HangAtShell,
    /// Half of the banner, no prompt.
    HangAtBanner,
    /// A `display` is not echoed to its end.
    HangAtEcho,
    /// An output stops in the middle of a line.
    HangMidLine,
    /// A page is shown although pages were switched off, and no key turns it.
    HangAtPager,
    /// A whole output and no prompt behind it.
    HangAfterOutput,
    /// The connection is cut in the middle of an output.
    CloseMidTable,
    /// An output is followed by so many bytes of the same before its prompt.
    Flood(u64),
    /// Escape sequences and control characters all over the output.
    AnsiGarbage,
    /// Another host key than yesterday.
    ChangedHostKey,
    /// Every password is wrong.
    RefusePassword,
    /// Every `display` is answered with `System is busy`.
    Busy,
    /// Every login finds the limit on sessions reached.
    ReenterLimit,
    /// The first login of a user: it wants the password changed.
    FirstLogin,
    /// The session has timed out by the first `display`, and is closed.
    TimedOut,
}

impl CliFault {
    /// Every kind, a flood of 100 MB among them: for tests that go through all.
    pub const ALL: &'static [Self] = &[
        Self::HangAtAccept,
        Self::HangAtVersion,
        Self::HangAtKeyExchange,
        Self::HangAtAuthentication,
        Self::HangAtShell,
        Self::HangAtBanner,
        Self::HangAtEcho,
        Self::HangMidLine,
        Self::HangAtPager,
        Self::HangAfterOutput,
        Self::CloseMidTable,
        Self::Flood(100_000_000),
        Self::AnsiGarbage,
        Self::ChangedHostKey,
        Self::RefusePassword,
        Self::Busy,
        Self::ReenterLimit,
        Self::FirstLogin,
        Self::TimedOut,
    ];
}
