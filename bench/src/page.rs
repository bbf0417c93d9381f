//! Reads a form off a page and fills it in, and follows links: enough HTML for login and consent pages.

/// A form with what it would send.
#[derive(Debug, PartialEq)]
pub struct Form {
    /// Where it is posted to.
    pub action: String,
    /// Names with their values, in the order of the page; of the buttons only the one that allows.
    fields: Vec<(String, String)>,
}

impl Form {
    /// The first form that is posted.
    #[must_use]
    pub fn of_page(html: &str) -> Option<Self> {
        let forms = html.split("<form").skip(1).filter_map(|form| form.split("</form").next());
        let form = forms.into_iter().find(|form| {
            let head = form.split('>').next().unwrap_or_default();
            attribute(head, "method").is_some_and(|method| method.eq_ignore_ascii_case("post"))
        })?;
        let action = attribute(form.split('>').next()?, "action").unwrap_or_default();
        let controls = form.split('<').filter(|tag| tag.starts_with("input") || tag.starts_with("button"));
        let fields = controls.filter_map(|tag| {
            let tag = tag.split('>').next()?;
            let unchecked =
                attribute(tag, "type").is_some_and(|kind| kind == "checkbox") && !tag.contains(" checked");
            let (name, value) = (attribute(tag, "name")?, attribute(tag, "value").unwrap_or_default());
            let not_pressed =
                tag.starts_with("button") && (name.as_str(), value.as_str()) != ("decision", "allow");
            (!unchecked && !not_pressed).then_some((name, value))
        });
        Some(Self { action, fields: fields.collect() })
    }

    /// The form's content with the user's name and password, allowing what is asked.
    #[must_use]
    pub fn filled(&self, username: &str, password: &str) -> String {
        let mut content = form_urlencoded::Serializer::new(String::new());
        for (name, value) in &self.fields {
            match name.as_str() {
                "username" => content.append_pair(name, username),
                "password" => content.append_pair(name, password),
                _ => content.append_pair(name, value),
            };
        }
        content.finish()
    }
}

/// An attribute's value in double quotes or none.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split_once(&format!(" {name}="))?;
    let value = match rest.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next()?,
        None => rest.split_whitespace().next()?,
    };
    Some(unescape(value))
}

/// Replaces the character references that escaping makes.
fn unescape(value: &str) -> String {
    let mut text = String::new();
    let mut parts = value.split('&');
    text.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let (reference, rest) = part.split_once(';').unwrap_or(("amp", part));
        let number = reference.strip_prefix("#x").map(|hex| u32::from_str_radix(hex, 16));
        let number = number.or_else(|| reference.strip_prefix('#').map(str::parse));
        text.push(match reference {
            "quot" => '"',
            "lt" => '<',
            "gt" => '>',
            _ => number.and_then(Result::ok).and_then(char::from_u32).unwrap_or('&'),
        });
        text.push_str(rest);
    }
    text
}

/// Path and query of a URL.
#[must_use]
pub fn path_of(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/").to_owned()
}

/// Where a link on the page at `current` leads, as a path.
#[must_use]
pub fn resolve(current: &str, link: &str) -> String {
    let page = current.split('?').next().unwrap_or_default();
    match link {
        "" => current.to_owned(),
        _ if link.contains("://") => path_of(link),
        _ if link.starts_with('/') => link.to_owned(),
        _ if link.starts_with('?') => format!("{page}{link}"),
        _ => format!("{}/{link}", page.rsplit_once('/').map_or("", |(directory, _)| directory)),
    }
}

/// As a form wants it.
#[must_use]
pub fn encode(value: &str) -> String {
    form_urlencoded::byte_serialize(value.as_bytes()).collect()
}

#[test]
fn a_form_is_read_and_filled() {
    let page = r#"<form method="get"></form><form id="x" method="post" action="/a?b=1&amp;c=&#x2f;">
        <input type="hidden" name="csrf" value="&quot;1"><input name="username" value="">
        <input type="checkbox" name="scope" value="openid" checked><input type="checkbox" name="scope" value="no">
        <button name="action" value="cancel">Back</button><button name="decision" value="deny">No</button><button name="decision" value="allow">Yes</button></form>"#;
    let form = Form::of_page(page).unwrap();
    assert_eq!(form.action, "/a?b=1&c=/");
    assert_eq!(form.filled("me", "pw"), "csrf=%221&username=me&scope=openid&decision=allow");
}
