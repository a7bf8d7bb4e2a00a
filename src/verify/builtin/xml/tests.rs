//! Documents that are well-formed, and documents that are not.

use crate::config::Builtin;
use crate::verify::builtin::tests::{Fixture, assert_cannot, assert_fails, assert_passes};

#[test]
fn well_formed_documents_pass() {
    let deep = "<a>".repeat(1_000) + &"</a>".repeat(1_000);
    for good in [
        "<a/>",
        "\u{FEFF}<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a b='1'>x &amp; &#233; <!-- c --><![CDATA[<]]></a>\n",
        "<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY e \"x\"><!ELEMENT a ANY>]><a>&e;</a>",
        "<!DOCTYPE a SYSTEM \"https://example.org/a.dtd\"><a/>",
        // Well-formed for a reader that ignores external entities (XML 1.0 §4.1), as this one does.
        "<!DOCTYPE a [<!ENTITY e SYSTEM \"file:///no/such/file\">]><a>&e;</a>",
        "<x:a xmlns:x='urn:x'><?pi d?><x:b/></x:a>",
        &deep,
    ] {
        assert_passes(&Builtin::Xml, good.as_bytes());
    }
    let latin = b"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a>\xE9</a>";
    assert_passes(&Builtin::Xml, latin);
    let wide: Vec<u8> = "\u{FEFF}<a>é</a>"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    assert_passes(&Builtin::Xml, &wide);
}

#[test]
fn what_is_not_well_formed_fails_with_its_place() {
    for (bad, expected) in [
        ("", "no root element"),
        ("text", "line 1 column"),
        ("<a>\n  <b>\n</a>", "line 3 column"),
        ("<a><b></b>", "line 1 column"),
        ("<a/><b/>", "line 1 column"),
        ("<a/>x", "line 1 column"),
        ("<a b='1' b='2'/>", "'b' is redefined"),
        ("<a b=1/>", "line 1 column"),
        ("<a>&unknown;</a>", "the entity `unknown` is not declared"),
        ("<a>&#0;</a>", "line 1 column"),
        ("<x:a/>", "prefix is unbound"),
        ("<a><!-- -- --></a>", "line 1 column"),
        ("{\"a\": 1}", "line 1 column"),
    ] {
        assert_fails(&Builtin::Xml, bad.as_bytes(), expected);
    }
    let deep = "<a>".repeat(1_001) + &"</a>".repeat(1_001);
    let why = ": elements are more than 1000 deep";
    assert_cannot(&Builtin::Xml, deep.as_bytes(), why);
    assert_fails(
        &Builtin::Xml,
        b"<a>\xFF</a>",
        "the byte at offset 3 is no UTF-8",
    );
    assert_fails(
        &Builtin::Xml,
        b"<?xml version='1.0' encoding='us-ascii'?><a>\xE9</a>",
        "the byte at offset 44 is no ASCII",
    );
}

#[test]
fn entities_do_not_explode() {
    let laughs: String = (1..10).fold(String::from("<!ENTITY l0 \"lol\">"), |text, n| {
        let inner = format!("&l{};", n - 1).repeat(10);
        text + &format!("<!ENTITY l{n} \"{inner}\">")
    });
    let bomb = format!("<!DOCTYPE a [{laughs}]><a>&l9;</a>");
    assert_cannot(&Builtin::Xml, bomb.as_bytes(), "more than 8 deep");
    let itself = "<!DOCTYPE a [<!ENTITY e \"&f;\"><!ENTITY f \"&e;\">]><a>&e;</a>";
    assert_fails(&Builtin::Xml, itself.as_bytes(), "stands in itself");
    let unused = "<!DOCTYPE a [<!ENTITY e \"&e;\">]><a/>";
    assert_fails(&Builtin::Xml, unused.as_bytes(), "stands in itself");
    // One long entity, often: quadratic.
    let quadratic = format!(
        "<!DOCTYPE a [<!ENTITY e \"{}\">]><a>{}</a>",
        "x".repeat(100_000),
        "&e;".repeat(100_000)
    );
    assert_cannot(&Builtin::Xml, quadratic.as_bytes(), "longer than 1 MiB");
    let in_attributes = quadratic.replace("<a>", "<a b='").replace("</a>", "'/>");
    assert_cannot(&Builtin::Xml, in_attributes.as_bytes(), "longer than 1 MiB");
}

#[test]
fn what_is_too_long_is_not_judged() {
    let name = format!("<{}/>", "a".repeat(128 << 10));
    let attribute = format!("<a b='{}'/>", "x".repeat((16 << 20) + 100));
    let attributes = (0..8_192).fold(String::new(), |text, number| {
        text + &format!(" a{number}=''")
    });
    for text in [name, attribute, format!("<a{attributes}/>")] {
        assert_cannot(&Builtin::Xml, text.as_bytes(), "too long");
    }
}

fn encoded(name: &str, label: &str, text: &str) -> Vec<u8> {
    let encoding = encoding_rs::Encoding::for_label(label.as_bytes()).expect("an encoding");
    let document =
        format!("<?xml version=\"1.0\" encoding=\"{name}\"?>\n<a b=\"{text}\">{text}</a>");
    encoding.encode(&document).0.into_owned()
}

#[test]
fn documents_in_other_encodings_are_read() {
    for (name, text) in [
        ("windows-1251", "Привет"),
        ("Windows-1252", "café €"),
        ("KOI8-R", "Привет"),
        ("iso-8859-2", "žluťoučký"),
        ("ISO-8859-15", "€"),
        ("Shift_JIS", "日本語"),
        ("EUC-JP", "日本語"),
        ("gb18030", "中文"),
        ("GBK", "中文"),
        ("Big5", "中文"),
        ("EUC-KR", "한국어"),
    ] {
        let good = encoded(name, name, text);
        assert_passes(&Builtin::Xml, &good);
        let cut = &good[..good.len() - 3];
        assert_fails(&Builtin::Xml, cut, "not well-formed");
    }
    for name in ["Shift_JIS", "EUC-KR", "gb18030"] {
        let mut bad = encoded(name, name, "x");
        let at = bad.len() - 5;
        bad[at] = 0xFF;
        assert_fails(
            &Builtin::Xml,
            &bad,
            &format!("the byte at offset {at} is no "),
        );
    }
}

#[test]
fn bytes_and_declaration_agree() {
    let wide = |text: &str| {
        text.encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect::<Vec<u8>>()
    };
    let declared = |name: &str| format!("<?xml version='1.0' encoding='{name}'?><a/>");
    assert_passes(
        &Builtin::Xml,
        &wide(&format!("\u{FEFF}{}", declared("UTF-16"))),
    );
    assert_passes(&Builtin::Xml, &wide(&declared("UTF-16LE")));
    for bad in [
        wide(&format!("\u{FEFF}{}", declared("UTF-8"))),
        wide(&declared("UTF-16")),
        wide("<?xml version='1.0'?><a/>"),
        declared("UTF-16").into_bytes(),
        declared("utf-16le").into_bytes(),
        format!("\u{FEFF}{}", declared("windows-1251")).into_bytes(),
    ] {
        assert_fails(&Builtin::Xml, &bad, "not well-formed");
    }
    for (unread, expected) in [
        (
            declared("x-martian").into_bytes(),
            "the encoding `x-martian`",
        ),
        (declared("UTF-7").into_bytes(), "the encoding `UTF-7`"),
        (b"\0\0\0<\0\0\0a\0\0\0/\0\0\0>".to_vec(), "UTF-32"),
        (b"\x4C\x6F\xA7\x94\x93".to_vec(), "EBCDIC"),
    ] {
        assert_cannot(&Builtin::Xml, &unread, expected);
    }
}

#[test]
fn entities_may_be_declared_where_nobody_reads() {
    const XHTML: &str = "<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Strict//EN\" \"http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd\">";
    for good in [
        format!("{XHTML}<html title='&nbsp;'>&nbsp;x&copy;<![CDATA[&bad]]><!-- &worse --></html>"),
        "<!DOCTYPE a [<!ENTITY % p SYSTEM 'p.ent'> %p; ]><a>&x;</a>".to_owned(),
        "<!DOCTYPE a [<!ENTITY e '<b>x</b>'><!ENTITY f '&e;&e;'>]><a>&f;</a>".to_owned(),
        "<!DOCTYPE a [<!ENTITY e '<p:b/>']><a xmlns:p='urn:p'>&e;</a>".replace("']>", "'>]>"),
        "<!DOCTYPE a [<!ENTITY e '&#38;#60;&lt;x'>]><a b='&e;'>&e;</a>".to_owned(),
    ] {
        assert_passes(&Builtin::Xml, good.as_bytes());
    }
    for (bad, expected) in [
        (format!("{XHTML}<html>&nbsp</html>"), "line 1"),
        (format!("{XHTML}<html>&1;</html>"), "line 1"),
        (format!("{XHTML}<html/>&nbsp;"), "line 1"),
        (format!("{XHTML}<html &nbsp;='1'/>"), "line 1"),
        (
            format!("<?xml version='1.0' standalone='yes'?>{XHTML}<html>&nbsp;</html>"),
            "the entity `nbsp` is not declared",
        ),
        (
            "<!DOCTYPE a [<!ENTITY e 'x'>]><a>&f;</a>".to_owned(),
            "the entity `f` is not declared",
        ),
    ] {
        assert_fails(&Builtin::Xml, bad.as_bytes(), expected);
    }
}

#[test]
fn declarations_and_entities_are_well_formed_too() {
    let of_e = |what: &str| format!("the {what}entity `e`");
    let (text, attribute) = (of_e("text of the "), "in an attribute");
    let (in_declaration, elsewhere) = ("in the document type declaration", "may not stand here");
    for (declared, rest, expected) in [
        ("<!ELEMENT a junk>", "<a/>", in_declaration),
        ("<!ATTLIST a b JUNK 'x'>", "<a/>", in_declaration),
        ("<!ENTITY e junk>", "<a/>", in_declaration),
        ("<!ENTITY e '</b><b>'>", "<a><b>&e;</b></a>", &text),
        ("<!ENTITY e '<b>'>", "<a>&e;</b></a>", &text),
        ("<!ENTITY e '<b>'><!ENTITY f '&e;'>", "<a>&f;</a>", &text),
        ("<!ENTITY e '&#38;'>", "<a>&e;</a>", &text),
        (
            "<!ENTITY e '<b/>'>",
            "<a b='&e;'/>",
            "`<` of the entity `e` in an attribute",
        ),
        (
            "<!ENTITY e '<b/>'><!ENTITY f '&e;'>",
            "<a b='&f;'/>",
            attribute,
        ),
        ("<!ENTITY e SYSTEM 'x'>", "<a b='&e;'/>", elsewhere),
        ("<!ENTITY e SYSTEM 'x' NDATA n>", "<a>&e;</a>", elsewhere),
        (
            "<!ATTLIST a b CDATA '&e;'>",
            "<a/>",
            &(of_e("") + " is not declared"),
        ),
    ] {
        let bad = format!("<!DOCTYPE a [{declared}]>{rest}");
        assert_fails(&Builtin::Xml, bad.as_bytes(), expected);
    }
    for (bad, expected) in [
        ("<!DOCTYPE a [<!ELEMENT a ANY><a/>", "without an end"),
        ("<!DOCTYPE a><!DOCTYPE a><a/>", "line 1"),
        ("<a/><!DOCTYPE a>", "line 1"),
    ] {
        assert_fails(&Builtin::Xml, bad.as_bytes(), expected);
    }
    let (outcome, detail) = Fixture::default().judged(
        &Builtin::Xml,
        b"<!DOCTYPE a [<!ENTITY e 'x'>\n]>\n<a>\n&e;</b>",
    );
    assert_eq!(outcome, crate::domain::VerdictOutcome::Failed);
    assert!(detail.contains("line 4 column"), "{detail}");
}
