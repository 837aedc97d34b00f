//! A device's command line, played: well, or with one fault. Written from what devices print, not from what reads it.

use std::time::Duration;

use tokio::sync::mpsc;

/// What goes wrong, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// Nothing is said after the shell was opened.
    NoBanner,
    /// A banner and no prompt.
    NoPrompt,
    /// Closed before the prompt.
    ClosedBeforePrompt,
    /// A banner without end.
    BannerWithoutEnd,
    /// A few letters now and then, and never a prompt.
    BannerDribbles,
    /// The question of a first login.
    FirstLogin,
    /// The limit of sessions.
    Reenter,
    /// The user is locked.
    Locked,
    /// Silence after the command.
    NoEcho,
    /// Silence in the middle of a row.
    MidLine,
    /// Silence after a pager was answered.
    AfterPager,
    /// All rows and no prompt.
    NoFinalPrompt,
    /// Closed in the middle of a row.
    ClosedMidTable,
    /// 100 MB.
    AnswerWithoutEnd,
    /// A row now and then, for ever.
    AnswerDribbles,
    /// Escapes and bytes that are no text, and then a prompt.
    Garbage,
    /// Busy.
    Busy,
    /// Bytes without end that nobody asked for, while it waits for a command.
    FloodWhileIdle,
    /// The session ends by itself, while it waits for a command.
    EndsWhileIdle,
    /// The log-out is never done.
    NeverLeaves,
}

/// A terminal: what is typed comes in, what is said goes out. Dropped, the line is closed.
pub struct Terminal {
    pub input: mpsc::Receiver<Vec<u8>>,
    pub output: mpsc::Sender<Vec<u8>>,
    pub typed: Vec<u8>,
}

/// The peer is gone.
pub struct Gone;

type Played = Result<(), Gone>;

impl Terminal {
    pub fn new(input: mpsc::Receiver<Vec<u8>>, output: mpsc::Sender<Vec<u8>>) -> Self {
        let typed = Vec::new();
        Self { input, output, typed }
    }

    pub async fn say(&self, text: &str) -> Played {
        self.output.send(text.as_bytes().to_vec()).await.map_err(|_| Gone)
    }

    /// A line, without its end.
    pub async fn line(&mut self) -> Result<String, Gone> {
        loop {
            if let Some(end) = self.typed.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.typed.drain(..=end).collect();
                return Ok(String::from_utf8_lossy(&line).trim_end().to_owned());
            }
            self.more().await?;
        }
    }

    /// One key.
    async fn key(&mut self) -> Result<u8, Gone> {
        while self.typed.is_empty() {
            self.more().await?;
        }
        Ok(self.typed.remove(0))
    }

    async fn more(&mut self) -> Played {
        let bytes = self.input.recv().await.ok_or(Gone)?;
        self.typed.extend(bytes);
        Ok(())
    }

    /// Says nothing more, and does not close.
    async fn hang(&mut self) -> Played {
        loop {
            self.more().await?;
        }
    }

    async fn flood(&self, row: &str) -> Played {
        let piece = row.repeat(32_000 / row.len());
        for _ in 0..100_000_000 / piece.len() {
            self.say(&piece).await?;
        }
        Ok(())
    }

    async fn dribble(&mut self, text: &str) -> Played {
        loop {
            self.say(text).await?;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

const GREETING: &str = "\r\n  Huawei Integrated Access Software (MA5800).\r\n  Copyright(C) Huawei Technologies Co., Ltd. 2002-2020. All rights reserved.\r\n\r\n  -----------------------------------------------------------------------------\r\n  User last login information:\r\n  -----------------------------------------------------------------------------\r\n  Access Type : SSH\r\n  IP-Address  : 192.0.2.7\r\n  -----------------------------------------------------------------------------\r\n\r\n";
const PAGER: &str = "---- More ( Press 'Q' to break ) ----";
const RESIDUE: &str = "\x1b[37D                                     \x1b[37D";
/// The command at which the faults of an answer happen.
pub const ASKED: &str = "display board 0";
pub const VERSION: &str = "  VERSION : MA5800V100R018C00\r\n  PATCH   : SPH505\r\n  PRODUCT : MA5800-X7\r\n";

/// Plays a device until the peer is gone or the line is to be closed.
pub async fn play(mut terminal: Terminal, fault: Fault) {
    // Gone is how most of them end.
    let (Ok(()) | Err(Gone)) = device(&mut terminal, fault).await;
}

async fn device(terminal: &mut Terminal, fault: Fault) -> Played {
    match fault {
        Fault::NoBanner => return terminal.hang().await,
        Fault::NoPrompt => {
            terminal.say(GREETING).await?;
            return terminal.hang().await;
        }
        Fault::ClosedBeforePrompt => return terminal.say(GREETING).await,
        Fault::BannerWithoutEnd => return terminal.flood("  welcome\r\n").await,
        Fault::BannerDribbles => return terminal.dribble("x").await,
        Fault::FirstLogin => {
            terminal
                .say("\r\n  It is the first login. Change the password? (YES/NO):")
                .await?;
            return terminal.hang().await;
        }
        Fault::Reenter => {
            return terminal
                .say("\r\n  Reenter times have reached the upper limit.\r\n")
                .await;
        }
        Fault::Locked => return terminal.say("\r\n  The user is locked.\r\n").await,
        _ => {}
    }
    terminal.say(GREETING).await?;
    // Several may be queued.
    terminal.say("OLT-1>\r\nOLT-1>").await?;
    if fault == Fault::FloodWhileIdle {
        terminal.line().await?;
        terminal.say("enable\r\n\r\nOLT-1#").await?;
        tokio::time::sleep(Duration::from_millis(300)).await;
        loop {
            terminal.flood("! x\r\n").await?;
        }
    }
    let mut mode = ">";
    loop {
        let command = terminal.line().await?;
        terminal.say(&format!("{command}\r\n")).await?;
        match (command.as_str(), mode) {
            ("enable", ">") => mode = "#",
            ("config", "#") => mode = "(config)#",
            ("undo smart", _) => {
                terminal.say("{ <cr>||<K> }:").await?;
                terminal.line().await?;
                terminal.say("\r\n\r\n  Command:\r\n          undo smart\r\n").await?;
            }
            ("scroll 512", _) => {}
            ("display version", _) => terminal.say(VERSION).await?,
            (ASKED, "#" | "(config)#") => boards(terminal, fault).await?,
            ("quit", "(config)#") => mode = "#",
            ("quit", "#") => {
                if fault == Fault::NeverLeaves {
                    return terminal.hang().await;
                }
                let asks = "  Check whether system data has been changed. Please save data before logout.\r\nAre you sure to log out? (y/n)[n]:";
                terminal.say(asks).await?;
                if terminal.line().await? == "y" {
                    return terminal
                        .say("y\r\n  Configuration console exit, please retry to log on\r\n")
                        .await;
                }
            }
            _ => {
                let error = "                 ^\r\n  % Unknown command, the error locates at '^'\r\n";
                terminal.say(error).await?;
            }
        }
        terminal.say(&format!("\r\nOLT-1{mode}")).await?;
        if fault == Fault::EndsWhileIdle && mode == "#" {
            tokio::time::sleep(Duration::from_millis(300)).await;
            let ended = "\r\n  Configuration console time out, please retry to log on\r\n";
            return terminal.say(ended).await;
        }
    }
}

async fn boards(terminal: &mut Terminal, fault: Fault) -> Played {
    let rule = "  -------------------------------------------------------------------------\r\n";
    let head = "  SlotID  BoardName  Status          SubType0 SubType1    Online/Offline\r\n";
    match fault {
        Fault::NoEcho => return terminal.hang().await,
        Fault::Busy => {
            return terminal
                .say("  Failure: System is busy, please retry after a while\r\n")
                .await;
        }
        _ => {}
    }
    terminal.say(&format!("{rule}{head}{rule}  0\r\n")).await?;
    match fault {
        Fault::MidLine => {
            terminal.say("  1       H902").await?;
            return terminal.hang().await;
        }
        Fault::ClosedMidTable => {
            terminal.say("  1       H902").await?;
            return Err(Gone);
        }
        Fault::AnswerWithoutEnd => return terminal.flood("  1       H902GPHF   Normal\r\n").await,
        Fault::AnswerDribbles => return terminal.dribble("  1       H902GPHF   Normal\r\n").await,
        Fault::Garbage => {
            let mut bytes: Vec<u8> = (0..=255).cycle().take(20_000).collect();
            bytes.retain(|byte| !matches!(byte, b'>' | b'#' | b'%'));
            terminal.output.send(bytes).await.map_err(|_| Gone)?;
            terminal.say("\x1b[999999999D\x1b[2J\x1b]0;x\x07\x1b[?25l\r\n").await?;
        }
        _ => {}
    }
    terminal.say(PAGER).await?;
    terminal.key().await?;
    if fault == Fault::AfterPager {
        return terminal.hang().await;
    }
    terminal
        .say(&format!("{RESIDUE}  1       H902GPHF   Normal\r\n{rule}"))
        .await?;
    if fault == Fault::NoFinalPrompt {
        return terminal.hang().await;
    }
    Ok(())
}
