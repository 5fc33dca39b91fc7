//! API keys: how one is drawn, what is kept of it, and how it is shown.
//!
//! Source: reference/serving.md §3.2 (form, fields, defaults and maxima, only a SHA-256 is kept), §4.8 (a key is a snapshot).
//!
//! Invariant: the key itself is in the answer to its creation and nowhere else.
//!
//! Lives pass at the speed of the cluster; the times that are shown are those that were asked for.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::super::time::{Moment, Time, written};

const PREFIX: &str = "sk-oai-";
const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// How much of the salt is shown, so that people know a key again.
const SHOWN: usize = 12;
/// An ephemeral key lives an hour at most, and by default.
pub(super) const EPHEMERAL: Duration = Duration::from_secs(60 * 60);

/// What is kept of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Key {
    pub(super) id: String,
    hash: String,
    pub(super) name: String,
    description: String,
    pub(super) username: String,
    pub(super) groups: Vec<String>,
    pub(super) subscription: String,
    pub(super) created: Moment,
    /// When it ends, as its owner was told.
    pub(super) expires: Moment,
    /// When it ends at the speed of the cluster.
    ends: Moment,
    pub(super) is_revoked: bool,
    pub(super) last_used: Option<Moment>,
    pub(super) is_ephemeral: bool,
}

/// What somebody asks a key to be.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) username: String,
    pub(super) groups: Vec<String>,
    pub(super) subscription: String,
    pub(super) lives: Duration,
    pub(super) is_ephemeral: bool,
}

/// How a key stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Active,
    Revoked,
    Expired,
}

impl Status {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        [Self::Active, Self::Revoked, Self::Expired]
            .into_iter()
            .find(|status| status.name() == name)
    }
}

impl Key {
    /// Draws a key. Returns what is kept, and the text that its owner gets.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub(super) fn draw(wish: Wish, time: Time) -> Result<(Self, String), getrandom::Error> {
        let mut bytes = [0; 12 + 32 + 16];
        getrandom::fill(&mut bytes)?;
        let (salt, secret) = (letters(&bytes[..16]), letters(&bytes[16..59]));
        let id = uuid(&Sha256::digest(bytes));
        let now = time.now();
        let lives = i64::try_from(wish.lives.as_millis()).unwrap_or(i64::MAX);
        let key = Self {
            id,
            hash: hash(&salt, &secret),
            name: wish.name,
            description: wish.description,
            username: wish.username,
            groups: wish.groups,
            subscription: wish.subscription,
            created: now,
            expires: now.saturating_add(lives),
            ends: time.after(wish.lives),
            is_revoked: false,
            last_used: None,
            is_ephemeral: wish.is_ephemeral,
        };
        Ok((key, format!("{PREFIX}{salt}_{secret}")))
    }

    /// Returns how it stands at a moment.
    pub(super) fn status(&self, now: Moment) -> Status {
        if self.is_revoked {
            Status::Revoked
        } else if self.ends <= now {
            Status::Expired
        } else {
            Status::Active
        }
    }

    /// Returns whether this is the key that a text is.
    pub(super) fn is(&self, text: &str) -> bool {
        parts(text).is_some_and(|(salt, secret)| hash(salt, secret) == self.hash)
    }

    /// Returns the answer to its creation.
    pub(super) fn shown_once(&self, text: &str) -> Value {
        let salt = parts(text).map_or("", |(salt, _)| salt);
        let shown = salt.get(..SHOWN).unwrap_or(salt);
        json!({
            "key": text, "keyPrefix": format!("{PREFIX}{shown}..."), "id": self.id, "name": self.name,
            "subscription": self.subscription, "createdAt": written(self.created), "expiresAt": written(self.expires),
            "ephemeral": self.is_ephemeral,
        })
    }

    /// Returns what is told of it later; what is empty is not told.
    pub(super) fn shown(&self, now: Moment) -> Value {
        let mut shown = json!({
            "id": self.id, "name": self.name, "creationDate": written(self.created), "expirationDate": written(self.expires),
            "status": self.status(now).name(), "ephemeral": self.is_ephemeral,
        });
        for (name, value) in [
            ("description", &self.description),
            ("username", &self.username),
            ("subscription", &self.subscription),
        ] {
            if !value.is_empty() {
                shown[name] = json!(value);
            }
        }
        if !self.groups.is_empty() {
            shown["groups"] = json!(self.groups);
        }
        if let Some(used) = self.last_used {
            shown["lastUsedAt"] = json!(written(used));
        }
        shown
    }
}

/// Returns salt and secret of a text that has the form of a key.
pub(super) fn parts(text: &str) -> Option<(&str, &str)> {
    let (salt, secret) = text.strip_prefix(PREFIX)?.split_once('_')?;
    let is_part = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (is_part(salt) && is_part(secret)).then_some((salt, secret))
}

fn hash(salt: &str, secret: &str) -> String {
    let digest = Sha256::digest(format!("{salt}\0{secret}").as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn letters(bytes: &[u8]) -> String {
    bytes
        .iter()
        .map(|byte| char::from(LETTERS[usize::from(*byte) % LETTERS.len()]))
        .collect()
}

fn uuid(bytes: &[u8]) -> String {
    let digit = |byte: u8| format!("{byte:02x}");
    let mut text = String::new();
    for (place, byte) in bytes.iter().take(16).enumerate() {
        if [4, 6, 8, 10].contains(&place) {
            text.push('-');
        }
        let byte = match place {
            6 => byte & 0x0f | 0x40,
            8 => byte & 0x3f | 0x80,
            _ => *byte,
        };
        text.push_str(&digit(byte));
    }
    text
}

/// Reads how long a key is to live: a number of seconds, or a text like `30d`, `1h`, `2h30m`, `1.5h`; zero or less comes
/// back as it is.
pub(super) fn lives(value: &Value) -> Option<f64> {
    if let Some(seconds) = value.as_f64() {
        return Some(seconds);
    }
    let text = value.as_str()?;
    if text.is_empty() {
        return Some(0.0);
    }
    if let Some(days) = text.strip_suffix('d') {
        return Some(days.parse::<f64>().ok()? * 86_400.0);
    }
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let unit = rest
            .find(|letter: char| letter.is_ascii_digit() || letter == '.')
            .unwrap_or(rest.len());
        seconds += number
            * match &rest[..unit] {
                "h" => 3_600.0,
                "m" => 60.0,
                "s" => 1.0,
                "ms" => 0.001,
                _ => return None,
            };
        rest = &rest[unit..];
    }
    Some(sign * seconds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    fn wish() -> Wish {
        Wish {
            name: "demo".to_owned(),
            description: String::new(),
            username: "alice".to_owned(),
            groups: vec!["premium-users".to_owned()],
            subscription: "premium-subscription".to_owned(),
            lives: Duration::from_secs(3_600),
            is_ephemeral: false,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_is_shown_once_and_known_by_its_hash() {
        let time = Time::from_now(Clock::new(100.0));
        let (key, text) = Key::draw(wish(), time).expect("random bytes");
        let (salt, secret) = parts(&text).expect("the form of a key");
        assert_eq!((salt.len(), secret.len()), (16, 43));
        assert!(key.is(&text) && !key.is("sk-oai-a_b") && !key.is("x"));
        let once = key.shown_once(&text);
        assert_eq!(once["keyPrefix"], json!(format!("sk-oai-{}...", &salt[..12])));
        let later = key.shown(time.now()).to_string() + &serde_json::to_string(&key).expect("JSON");
        assert!(!later.contains(secret) && !later.contains("keyPrefix"), "{later}");
        assert_eq!(key.id.len(), 36);
    }

    #[tokio::test(start_paused = true)]
    async fn a_life_passes_at_the_speed_of_the_cluster() {
        let time = Time::from_now(Clock::new(100.0));
        let (mut key, _) = Key::draw(wish(), time).expect("random bytes");
        assert_eq!(key.expires - key.created, 3_600_000);
        assert_eq!(key.status(time.now()), Status::Active);
        tokio::time::advance(Duration::from_secs(36)).await;
        assert_eq!(key.status(time.now()), Status::Expired);
        key.is_revoked = true;
        assert_eq!(key.status(time.now()), Status::Revoked);
    }

    #[test]
    fn lives_are_written_as_go_writes_them_and_with_days() {
        for (written, seconds) in [
            (json!("30d"), Some(2_592_000.0)),
            (json!("1h"), Some(3_600.0)),
            (json!("2h30m"), Some(9_000.0)),
            (json!("1.5h"), Some(5_400.0)),
            (json!(90), Some(90.0)),
            (json!("-1h"), Some(-3_600.0)),
            (json!(""), Some(0.0)),
            (json!("5"), None),
            (json!("1w"), None),
            (json!(true), None),
        ] {
            assert_eq!(lives(&written), seconds, "{written}");
        }
    }
}
