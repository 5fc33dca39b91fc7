//! What is put in, kept, refused and taken out of a text.

use super::*;
use proptest::prelude::*;

/// `Bob1234!` and `p\u{e4}ss` as somebody else hashed them.
const HASHED: &str = "$2a$05$abcdefghijklmnopqrstuuQNr.NUko7cjRuTOhPz.WP0eA4f4.Xuq";
const PASSWORD: &str = "p\u{e4}ss";

fn user(name: &str) -> User {
    User::new(name).expect("a name")
}

fn password(text: &str) -> Password {
    Password::new(text.to_owned()).expect("a password")
}

fn line() -> Line {
    Line("bob:ours".to_owned())
}

/// The text with `bob:ours` in it.
fn written(text: &str, is_ours: bool) -> Result<String, DocumentError> {
    with(text, &user("bob"), &Login::Written(line()), is_ours)
}

fn taken_out(text: &str) -> String {
    without(text, &user("bob"), &[line().digest()])
}

fn known(text: &str, password_text: &str) -> Login {
    login(text, &user("bob"), &password(password_text), None)
}

#[test]
fn ours_goes_to_the_end_and_out_again_and_nothing_else_is_taken_for_the_user() {
    for theirs in [
        "",
        "alice:x\n",
        "alice:x\r\ncharlie:y\r\n",
        "\n\n# bob: the builder\n#bob:x\n",
        "bobby:x\nbo:b\n",
        " bob:x\nbob :x\nBob:x\nbob\n",
        ":bob:x\nalice:bob:x\n",
    ] {
        let with = written(theirs, false).expect("nothing is in the way");
        assert_eq!(with, format!("{theirs}bob:ours\n"));
        assert_eq!(taken_out(&with), theirs);
    }
}

#[test]
fn a_last_line_without_an_end_gets_one() {
    let with = written("alice:x", false).expect("nothing is in the way");
    assert_eq!(with, "alice:x\nbob:ours\n");
    assert_eq!(taken_out(&with), "alice:x\n");
}

#[test]
fn a_line_is_replaced_where_it_stands_and_keeps_its_end() {
    for (before, after) in [
        ("alice:x\nbob:old\ncharlie:y\n", "alice:x\nbob:ours\ncharlie:y\n"),
        ("bob:old\r\ncharlie:y\r\n", "bob:ours\r\ncharlie:y\r\n"),
        ("alice:x\nbob:old", "alice:x\nbob:ours"),
        ("bob:\n", "bob:ours\n"),
    ] {
        assert_eq!(written(before, true).as_deref(), Ok(after));
    }
    assert_eq!(taken_out("alice:x\r\nbob:ours\r\ncharlie:y"), "alice:x\r\ncharlie:y");
    assert_eq!(taken_out("alice:x\nbob:ours"), "alice:x\n");
}

#[test]
fn of_two_lines_of_a_user_the_last_one_counts() {
    let twice = "bob:ours\nalice:x\nbob:theirs\n";
    assert_eq!(present(twice, &user("bob")), Some(Digest::of_bytes(b"bob:theirs")));
    assert_eq!(written(twice, true).as_deref(), Ok("bob:ours\nalice:x\nbob:ours\n"));
    assert_eq!(taken_out(twice), "alice:x\nbob:theirs\n");
    assert_eq!(taken_out("bob:ours\nalice:x\nbob:ours\n"), "alice:x\n");
    // A line that lets in, and does not count.
    assert_eq!(known(&format!("bob:{HASHED}\nbob:theirs\n"), PASSWORD), Login::ToCome);
}

#[test]
fn a_line_that_is_not_ours_is_never_replaced_and_never_taken_out() {
    let theirs = "alice:x\nbob:theirs\n";
    let refused = DocumentError::UserIsThere { user: user("bob") };
    assert_eq!(written(theirs, false), Err(refused.clone()));
    assert_eq!(with(theirs, &user("bob"), &Login::ToCome, false), Err(refused));
    assert_eq!(taken_out(theirs), theirs);
}

#[test]
fn a_line_that_lets_the_user_in_is_kept_whoever_made_it() {
    let text = format!("alice:x\r\nbob:{HASHED}\r\n");
    let kept = known(&text, PASSWORD);
    assert_eq!(kept, Login::Kept(Digest::of_bytes(format!("bob:{HASHED}").as_bytes())));
    assert_eq!(with(&text, &user("bob"), &kept, false).as_deref(), Ok(text.as_str()));
    assert_eq!(known(&text, "another"), Login::ToCome);
    assert_eq!(known("", PASSWORD), Login::ToCome);
}

#[test]
fn what_is_written_lets_the_user_in_and_another_salt_is_another_line() {
    struct Letters(&'static str);
    impl crate::late::Secrets for Letters {
        fn draw(&self, length: usize) -> String {
            self.0.repeat(length)
        }
        fn input(&self, _: &crate::late::SecretInput) -> Result<String, String> {
            Err("not set".to_owned())
        }
    }
    let line = |letter| {
        let salt = Salt::draw(&Letters(letter));
        match login("", &user("bob"), &password(PASSWORD), Some(&salt)) {
            Login::Written(line) => line,
            other => unreachable!("{other:?}"),
        }
    };
    let (one, another) = (line("a"), line("b"));
    assert_ne!(one, another);
    for line in [one, another] {
        let text = with("", &user("bob"), &Login::Written(line.clone()), false).expect("nothing is in the way");
        assert!(text.starts_with("bob:$2y$10$"), "{text}");
        assert_eq!(known(&text, PASSWORD), Login::Kept(line.digest()));
        assert_eq!(known(&text, "another"), Login::ToCome);
        assert!(!format!("{line:?}").contains("$2y$"), "{line:?}");
    }
}

#[test]
fn names_that_would_break_the_text_are_refused() {
    for name in ["", "bob:x", "bob\n", "bob\ralice", ":"] {
        assert_eq!(User::new(name), Err(DocumentError::NoUser { name: name.to_owned() }));
    }
    for name in ["bob", "bob@example.com", "bob smith", "b\u{f6}b", "CN=bob,O=x"] {
        assert_eq!(user(name).to_string(), name);
    }
}

#[test]
fn passwords_that_bcrypt_cuts_off_or_nobody_types_are_refused() {
    for text in ["", "Bob1234!\n", "a\0b", &"x".repeat(73), &"\u{e4}".repeat(37)] {
        assert_eq!(
            Password::new(text.to_owned()).map(|_| ()),
            Err(DocumentError::NoPassword)
        );
    }
    for text in ["x", "with a space ", &"x".repeat(72)] {
        assert!(Password::new(text.to_owned()).is_ok());
    }
}

proptest! {
    #[test]
    fn every_line_of_others_stays_byte_for_byte(text in "[bo:#\\r\\n \u{e4}]{0,60}") {
        let is_ours = |line: &&str| line.starts_with("bob:");
        let others = |text: &str| -> Vec<String> {
            text.split_inclusive('\n').filter(|line| !is_ours(line)).map(str::to_owned).collect()
        };
        let is_added = !text.split_inclusive('\n').any(|line| is_ours(&line));
        let gap = if is_added && !text.is_empty() && !text.ends_with('\n') { "\n" } else { "" };
        let expected = others(&format!("{text}{gap}"));
        let with = written(&text, true).expect("it is ours");
        prop_assert_eq!(&others(&with), &expected);
        prop_assert_eq!(present(&with, &user("bob")), Some(line().digest()));
        prop_assert_eq!(others(&taken_out(&with)), expected);
    }

    #[test]
    fn what_we_put_into_a_text_of_others_comes_out_without_a_trace(text in "([ab:#]{0,4}\r?\n){0,6}") {
        let with = written(&text, false).expect("nobody is called bob");
        prop_assert_eq!(taken_out(&with), text);
    }
}
