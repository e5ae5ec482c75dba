//! Plain text as HTML.

/// The text as an HTML page: paragraphs where blank lines part it, links where addresses stand.
pub fn html_of(text: &str) -> String {
    let mut html = String::with_capacity(text.len() * 5 / 4 + HEAD.len() + 100);
    html.push_str(HEAD);
    for paragraph in text.split("\n\n").map(str::trim).filter(|paragraph| !paragraph.is_empty()) {
        html.push_str("<p>");
        for (index, line) in paragraph.lines().enumerate() {
            html.push_str(if index == 0 { "" } else { "<br>\n" });
            link(line, &mut html);
        }
        html.push_str("</p>\n");
    }
    html.push_str("</body></html>\n");
    html
}

const HEAD: &str = "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"></head><body>\n";

/// Adds one line, escaped, with its web addresses made links.
fn link(line: &str, html: &mut String) {
    let mut rest = line;
    while let Some(at) = web_address(rest) {
        let (before, from) = rest.split_at_checked(at).unwrap_or((rest, ""));
        let end = from.find(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"')).unwrap_or(from.len());
        let (url, _) = from.split_at_checked(end).unwrap_or((from, ""));
        // A sentence's end is not the address's.
        let url = url.trim_end_matches(['.', ',', ';', ':', '!', '?', ')', '\'']);
        escape(before, html);
        html.push_str("<a href=\"");
        escape(url, html);
        html.push_str("\">");
        escape(url, html);
        html.push_str("</a>");
        rest = from.get(url.len()..).unwrap_or_default();
    }
    escape(rest, html);
}

/// Where the next web address begins.
fn web_address(text: &str) -> Option<usize> {
    let begins =
        |at: &usize| text.get(at + 4..).is_some_and(|rest| rest.starts_with("://") || rest.starts_with("s://"));
    text.match_indices("http").map(|(at, _)| at).find(begins)
}

fn escape(text: &str, html: &mut String) {
    let mut rest = text;
    // A run of what needs no escape at once: that is nearly all of it.
    while let Some(at) = rest.bytes().position(|byte| matches!(byte, b'&' | b'<' | b'>' | b'"' | b'\'')) {
        let (run, from) = rest.split_at_checked(at).unwrap_or((rest, ""));
        html.push_str(run);
        html.push_str(match from.as_bytes().first() {
            Some(b'&') => "&amp;",
            Some(b'<') => "&lt;",
            Some(b'>') => "&gt;",
            Some(b'"') => "&quot;",
            Some(_) | None => "&#39;",
        });
        rest = from.get(1..).unwrap_or_default();
    }
    html.push_str(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(text: &str) -> String {
        let html = html_of(text);
        let (_, body) = html.split_once("<body>\n").unwrap();
        body.strip_suffix("</body></html>\n").unwrap().to_owned()
    }

    #[test]
    fn plain_text_keeps_its_paragraphs_and_lines() {
        assert_eq!(body("Hi,\nthere\n\n\n\nBye"), "<p>Hi,<br>\nthere</p>\n<p>Bye</p>\n");
        assert_eq!(body(""), "");
    }

    #[test]
    fn nothing_in_the_text_becomes_markup() {
        assert_eq!(body("<b>\"A & 'B'\"</b>"), "<p>&lt;b&gt;&quot;A &amp; &#39;B&#39;&quot;&lt;/b&gt;</p>\n");
    }

    #[test]
    fn addresses_can_be_clicked_and_cannot_leave_their_quotes() {
        for (text, html) in [
            (
                "See https://example.com/a?b=1&c=2.",
                "See <a href=\"https://example.com/a?b=1&amp;c=2\">https://example.com/a?b=1&amp;c=2</a>.",
            ),
            ("(http://example.com)", "(<a href=\"http://example.com\">http://example.com</a>)"),
            ("https://e.com/\"onclick=x", "<a href=\"https://e.com/\">https://e.com/</a>&quot;onclick=x"),
            ("javascript://x", "javascript://x"),
            ("https:// http://", "<a href=\"https://\">https://</a> <a href=\"http://\">http://</a>"),
        ] {
            assert_eq!(body(text), format!("<p>{html}</p>\n"));
        }
    }
}
