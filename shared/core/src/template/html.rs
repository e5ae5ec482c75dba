//! Plain text as HTML.

/// The text as an HTML page: paragraphs where blank lines part it, links where addresses stand.
pub fn html_of(text: &str) -> String {
    let paragraphs = text.split("\n\n").map(str::trim).filter(|paragraph| !paragraph.is_empty());
    let paragraphs = paragraphs.map(|paragraph| {
        let lines: Vec<String> = paragraph.lines().map(linked).collect();
        format!("<p>{}</p>\n", lines.join("<br>\n"))
    });
    let body: String = paragraphs.collect();
    format!("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"></head><body>\n{body}</body></html>\n")
}

/// One line, escaped, with its web addresses made links.
fn linked(line: &str) -> String {
    let mut html = String::new();
    let mut rest = line;
    while let Some(at) = web_address(rest) {
        let (before, from) = rest.split_at_checked(at).unwrap_or((rest, ""));
        let end = from.find(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"')).unwrap_or(from.len());
        let (url, _) = from.split_at_checked(end).unwrap_or((from, ""));
        // A sentence's end is not the address's.
        let url = url.trim_end_matches(['.', ',', ';', ':', '!', '?', ')', '\'']);
        html.push_str(&escaped(before));
        html.push_str(&format!("<a href=\"{0}\">{0}</a>", escaped(url)));
        rest = from.get(url.len()..).unwrap_or_default();
    }
    html.push_str(&escaped(rest));
    html
}

/// Where the next web address begins.
fn web_address(text: &str) -> Option<usize> {
    [text.find("https://"), text.find("http://")].into_iter().flatten().min()
}

fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    // A run of what needs no escape at once: that is nearly all of it.
    for run in text.split_inclusive(['&', '<', '>', '"', '\'']) {
        let (plain, escape) = match run.as_bytes().last() {
            Some(b'&') => (run.strip_suffix('&'), "&amp;"),
            Some(b'<') => (run.strip_suffix('<'), "&lt;"),
            Some(b'>') => (run.strip_suffix('>'), "&gt;"),
            Some(b'"') => (run.strip_suffix('"'), "&quot;"),
            Some(b'\'') => (run.strip_suffix('\''), "&#39;"),
            Some(_) | None => (None, ""),
        };
        html.push_str(plain.unwrap_or(run));
        html.push_str(escape);
    }
    html
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
