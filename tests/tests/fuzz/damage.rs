//! Good inputs, and what may happen to them on the way.

use bolero::generator::{TypeGenerator, ValueGenerator, produce};
use serde_json::Value;

use crate::bad_webhooks::pointers;

/// One change of some bytes. Places count modulo the length.
#[derive(Clone, Copy, Debug, TypeGenerator)]
pub(crate) enum Edit {
    /// Another byte there.
    Set { at: u16, to: u8 },
    /// A word of [`WORDS`] there.
    Insert { at: u16, word: u8 },
    /// A word of [`WORDS`] instead of what is there.
    Replace { at: u16, length: u8, word: u8 },
    /// What is there goes.
    Remove { at: u16, length: u8 },
    /// The few bytes there come again and again: twice to 4,096 times, so that a digit makes a number of any length, and a letter a text.
    Repeat { at: u16, length: u8, doublings: u8 },
    /// Nothing from there on.
    Cut { at: u16 },
}

/// What parsers trip over.
pub(crate) const WORDS: [&[u8]; 46] = [
    b"\"",
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b":",
    b",",
    b"null",
    b"true",
    b"-",
    b"0",
    b"-1",
    b"1e999",
    b"1e300",
    b"400",
    b"4000000000",
    b"99999999999999999999",
    b"\\u0000",
    b"\\ud800",
    b"\0",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\r\n",
    b"\t",
    b" ",
    b"%",
    b"%00",
    b"%zz",
    b"+",
    b"&",
    b"=",
    b".",
    b"..",
    b"/",
    b"#",
    b"\xe2\x80\xae",
    b"\xf0\x9f\x93\x9e",
    b"\xc3\xa9",
    b"{{",
    b"{%",
    b"}}",
    b"9",
    b"@",
    b"Z",
    b"T24:00:00",
];

/// Some bytes after these changes; never much longer than a webhook may be.
pub(crate) fn damaged(good: &[u8], edits: &[Edit]) -> Vec<u8> {
    let mut bytes = good.to_vec();
    for edit in edits {
        let length = bytes.len();
        let place = |at: u16| usize::from(at) % (length + 1);
        let span = |at: u16, long: u8| place(at)..(place(at) + usize::from(long)).min(length);
        let word = |word: u8| WORDS[usize::from(word) % WORDS.len()].iter().copied();
        match *edit {
            Edit::Set { at, to } => bytes.get_mut(place(at)).into_iter().for_each(|byte| *byte = to),
            Edit::Insert { at, word: index } => drop(bytes.splice(place(at)..place(at), word(index))),
            Edit::Replace { at, length, word: index } => drop(bytes.splice(span(at, length), word(index))),
            Edit::Remove { at, length } => drop(bytes.drain(span(at, length))),
            Edit::Repeat { at, length, doublings } => {
                let again = bytes[span(at, length % 4)].repeat((1 << (1 + doublings % 12)) - 1);
                drop(bytes.splice(place(at)..place(at), again));
            }
            Edit::Cut { at } => bytes.truncate(place(at)),
        }
    }
    bytes
}

/// A value after these changes, which is one in any case: where the changed text is none, each change befalls one of its values instead.
pub(crate) fn damaged_value(good: &Value, edits: &[Edit]) -> Value {
    serde_json::from_slice(&damaged(good.to_string().as_bytes(), edits)).unwrap_or_else(|_| {
        let mut value = good.clone();
        for edit in edits {
            let places = pointers(&value, "");
            let place = places.get(edit.place() % places.len().max(1)).map_or("", String::as_str);
            value.pointer_mut(place).into_iter().for_each(|inner| *inner = damaged_within(inner, *edit));
        }
        value
    })
}

/// A value of another after a change: a text is changed within its quotes, and what is no JSON any more is a text.
fn damaged_within(value: &Value, edit: Edit) -> Value {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let bytes = damaged(text.as_bytes(), &[edit]);
    let text = || Value::from(String::from_utf8_lossy(&bytes));
    if value.is_string() { text() } else { serde_json::from_slice(&bytes).unwrap_or_else(|_| text()) }
}

impl Edit {
    fn place(self) -> usize {
        let (Self::Set { at, .. }
        | Self::Insert { at, .. }
        | Self::Replace { at, .. }
        | Self::Remove { at, .. }
        | Self::Repeat { at, .. }
        | Self::Cut { at }) = self;
        usize::from(at)
    }
}

/// One of so many good inputs, and what happens to it; often little, since much leaves nothing of a short one.
pub(crate) fn one_of(count: usize) -> impl ValueGenerator<Output = (usize, Vec<Edit>)> {
    let edits = (produce::<Vec<Edit>>().with().len(0_usize..9), produce::<bool>());
    let edits = edits.map_gen(|(mut edits, are_few)| {
        edits.truncate(if are_few { 2 } else { edits.len() });
        edits
    });
    (0..count, edits)
}
