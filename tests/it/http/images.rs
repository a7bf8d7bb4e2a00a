//! Pictures that passed an `image` verifier: one by one, as a page of thumbnails, and in the API.

use std::fs;
use std::io::Cursor;

use image::{DynamicImage, ImageFormat, RgbImage};

use crate::rig::{Answer, Home, Reply, Service};

const VERIFIER: &str = r#"
[[verifier]]
name = "picture"
sources = ["tag:pictures"]
builtin = "image"
"#;

pub(super) fn picture(format: ImageFormat, width: u32, height: u32) -> Vec<u8> {
    let pixel = |x: u32, y: u32| image::Rgb([x.to_le_bytes()[0], y.to_le_bytes()[0], 7]);
    let picture: DynamicImage = RgbImage::from_fn(width, height, pixel).into();
    let picture = match format {
        ImageFormat::Gif | ImageFormat::Ico => picture.to_rgba8().into(),
        _ => picture,
    };
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).expect("memory");
    bytes.into_inner()
}

/// Adds a source at a path of the origin, which is judged as a picture and fetched.
fn add(home: &Home, name: &str, path: &str, content: impl Into<Reply>) {
    home.origin.on(path, [content.into()]);
    let url = home.origin.url(path);
    let add = [
        "add",
        &url,
        "1h",
        "--name",
        name,
        "--allow-private",
        "--tag",
        "pictures",
    ];
    home.ok(&add);
    home.run(&["fetch", name]);
}

/// A home with these pictures, by the names of their files.
fn rig(pictures: &[(&str, Vec<u8>)]) -> (Home, Service) {
    let home = Home::new(VERIFIER);
    for (name, content) in pictures {
        add(&home, name, &format!("/{name}"), content.clone());
    }
    let service = Service::start(&home.gannet, &["--no-worker"]);
    (home, service)
}

fn page(service: &Service, path: &str) -> String {
    let answer = service.ask("GET", path, &[("Accept", "text/html")], "");
    assert_eq!(answer.status, 200, "{path}: {answer:?}");
    answer.text()
}

/// The addresses of the thumbnails on a page.
fn thumbnails(page: &str) -> Vec<String> {
    let parts = page.split("<img src=\"").skip(1);
    let places = parts.filter_map(|rest| rest.split('"').next().map(str::to_owned));
    places.collect()
}

fn is_placeholder(answer: &Answer) -> bool {
    answer.header("content-type") == Some("image/svg+xml")
}

#[test]
fn pictures_are_sent_as_what_their_bytes_are() {
    let all = [
        ("a.bmp", ImageFormat::Bmp, "image/bmp"),
        ("a.gif", ImageFormat::Gif, "image/gif"),
        ("a.ico", ImageFormat::Ico, "image/vnd.microsoft.icon"),
        ("a.jpg", ImageFormat::Jpeg, "image/jpeg"),
        // Called something else.
        ("page.html", ImageFormat::Png, "image/png"),
        ("a.tif", ImageFormat::Tiff, "image/tiff"),
        ("a.webp", ImageFormat::WebP, "image/webp"),
    ];
    let contents = all.map(|(name, format, _)| (name, picture(format, 48, 32)));
    let (_home, service) = rig(&contents);
    for ((name, _, media_type), (_, bytes)) in all.iter().zip(&contents) {
        let answer = service.get(&format!("/images/{name}"));
        assert_eq!((answer.status, &answer.body), (200, bytes), "{name}");
        for (field, expected) in [
            ("content-type", *media_type),
            ("x-content-type-options", "nosniff"),
            ("accept-ranges", "bytes"),
            ("cache-control", "private, no-cache"),
            (
                "content-security-policy",
                "sandbox; default-src 'none'; frame-ancestors 'none'",
            ),
        ] {
            assert_eq!(answer.header(field), Some(expected), "{name}: {field}");
        }
        let shown = answer.header("content-disposition").unwrap_or_default();
        assert!(shown.starts_with("inline; "), "{name}: {shown}");
    }
    let page = page(&service, "/images/");
    for words in [
        "1–7 of 7",
        "alt=\"Picture page.html\"",
        "png, 48 × 32",
        "href=\"/images/page.html\"",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    for place in thumbnails(&page) {
        let small = service.get(&place);
        assert!(
            small.status == 200 && !is_placeholder(&small),
            "{place}: {small:?}"
        );
        let small = image::load_from_memory(&small.body).expect("a picture");
        assert_eq!((small.width(), small.height()), (48, 32), "{place}");
    }
    let listed = service.get("/api/v1/images?limit=2").json();
    let first = &listed["images"][0];
    for (field, expected) in [
        ("name", "a.bmp".into()),
        ("source", "a.bmp".into()),
        ("version_id", 1.into()),
        ("media_type", "image/bmp".into()),
        ("width", 48.into()),
        ("height", 32.into()),
        ("size_bytes", contents[0].1.len().into()),
    ] {
        let expected: serde_json::Value = expected;
        assert_eq!(first[field], expected, "{field}: {listed}");
    }
    assert!(first["published_at"].is_string(), "{listed}");
    let next = listed["next"].as_str().expect("a place");
    let rest = service.get(&format!("/api/v1/images?after={next}")).json();
    let names = |listed: &serde_json::Value| listed["images"].as_array().map(Vec::len);
    assert_eq!(
        (names(&rest), rest["next"].as_str()),
        (Some(5), None),
        "{rest}"
    );
}

#[test]
fn ranges_and_conditions_hold() {
    let (home, service) = rig(&[("a.png", picture(ImageFormat::Png, 30, 20))]);
    let whole = service.get("/images/a.png");
    let tag = whole.header("etag").expect("a tag").to_owned();
    let same = service.ask("GET", "/images/a.png", &[("If-None-Match", &tag)], "");
    assert_eq!((same.status, same.body.len()), (304, 0), "{same:?}");
    let part = service.ask("GET", "/images/a.png", &[("Range", "bytes=1-3")], "");
    assert_eq!(
        (part.status, part.text()),
        (206, "PNG".to_owned()),
        "{part:?}"
    );
    let end = whole.body.len();
    let beyond = service.ask(
        "GET",
        "/images/a.png",
        &[("Range", &format!("bytes={end}-"))],
        "",
    );
    assert_eq!(beyond.status, 416, "{beyond:?}");
    let head = service.ask("HEAD", "/images/a.png", &[], "");
    assert_eq!(
        (head.status, head.body.len(), head.header("content-length")),
        (200, 0, Some(end.to_string().as_str())),
        "{head:?}"
    );
    // Replaced at once, with another tag.
    let other = picture(ImageFormat::Gif, 3, 3);
    home.origin.on("/a.png", [other.clone()]);
    home.ok(&["fetch", "a.png"]);
    let fields = [
        ("If-None-Match", tag.as_str()),
        ("If-Range", &tag),
        ("Range", "bytes=0-1"),
    ];
    let replaced = service.ask("GET", "/images/a.png", &fields, "");
    assert_eq!(
        (replaced.status, &replaced.body),
        (200, &other),
        "{replaced:?}"
    );
    assert_eq!(replaced.header("content-type"), Some("image/gif"));
}

#[test]
fn what_did_not_pass_a_verifier_of_images_is_not_there() {
    let good = picture(ImageFormat::Png, 9, 9);
    let (home, service) = rig(&[
        ("good.png", good.clone()),
        (
            "wrong.jpg",
            b"<!doctype html><script>alert(1)</script>".to_vec(),
        ),
        ("cut.png", good[..good.len() / 2].to_vec()),
    ]);
    // A picture that no such verifier judges.
    home.origin.on("/unjudged.png", [good.clone()]);
    home.add("unjudged.png", &[]);
    home.ok(&["fetch", "unjudged.png"]);
    // One that a person let pass whatever the bytes are.
    let broken = service.get("/api/v1/sources/wrong.jpg").json();
    home.ok(&[
        "verdict",
        &format!("v{}", broken["version_id"]),
        "picture",
        "passed",
        "--detail",
        "png, 4 × 4 pixels",
    ]);
    for name in [
        "wrong.jpg",
        "cut.png",
        "unjudged.png",
        "none.png",
        "..",
        "%2e%2e%2fgannet.db",
        "good.png~1",
    ] {
        let answer = service.get(&format!("/images/{name}"));
        assert_eq!(answer.status, 404, "{name}: {answer:?}");
    }
    let page = page(&service, "/images/");
    assert!(
        page.contains("good.png") && page.contains("1–1 of 1"),
        "{page}"
    );
    assert!(
        !page.contains("wrong.jpg") && !page.contains("unjudged.png"),
        "{page}"
    );
}

#[test]
fn pictures_that_are_withdrawn_or_removed_are_gone_at_once() {
    let good = picture(ImageFormat::Png, 9, 9);
    let (home, service) = rig(&[
        ("refused.png", good.clone()),
        ("removed.png", good.clone()),
        ("worse.png", good.clone()),
        ("unjudged.png", good),
    ]);
    let status = |name: &str| service.get(&format!("/images/{name}")).status;
    for name in ["refused.png", "removed.png", "worse.png", "unjudged.png"] {
        assert_eq!(status(name), 200, "{name}");
    }
    home.run(&["verdict", "refused.png", "picture", "failed"]);
    assert_eq!(status("refused.png"), 404);
    home.ok(&["remove", "removed.png"]);
    assert_eq!(status("removed.png"), 404);
    // A bad version does not replace the good one.
    home.serve("worse.png", "<html>");
    home.run(&["fetch", "worse.png"]);
    assert_eq!(status("worse.png"), 200);
    let listed = service.get("/api/v1/images").json();
    assert_eq!(
        listed["images"].as_array().map(Vec::len),
        Some(2),
        "{listed}"
    );
    // Without the verifier nothing vouches for the rest.
    home.judge_by("[[verifier]]\nname = \"text\"\nsources = [\"none\"]\nbuiltin = \"utf8\"\n");
    assert_eq!((status("worse.png"), status("unjudged.png")), (404, 404));
}

#[test]
fn files_of_one_name_keep_their_names() {
    let [one, two, three] = [1, 2, 3].map(|side| picture(ImageFormat::Png, side, side));
    let home = Home::new(VERIFIER);
    add(&home, "first", "/a/logo.png", one.clone());
    add(&home, "second", "/b/logo.png", two.clone());
    add(&home, "third", "/c/logo~2.png", three.clone());
    let service = Service::start(&home.gannet, &["--no-worker"]);
    let body = |name: &str| {
        let answer = service.get(&format!("/images/{name}"));
        (answer.status == 200).then_some(answer.body)
    };
    let listed = service.get("/api/v1/images").json();
    let names = listed["images"].as_array().expect("a list").iter();
    let names: Vec<_> = names
        .map(|one| one["name"].as_str().unwrap_or_default())
        .collect();
    assert_eq!(
        names,
        ["logo.png", "logo~2.png", "logo~2~3.png"],
        "{listed}"
    );
    for (name, expected) in [
        ("logo.png", Some(&one)),
        ("logo~1.png", Some(&one)),
        ("logo~2.png", Some(&two)),
        ("logo~2~3.png", Some(&three)),
        ("logo~3.png", None),
        ("logo~1~1.png", None),
    ] {
        assert_eq!(body(name).as_ref(), expected, "{name}");
    }
    // A name does not go to another one with the source that has it.
    home.ok(&["remove", "first"]);
    assert_eq!((body("logo.png"), body("logo~2.png")), (None, Some(two)));
}

#[test]
fn hostile_pictures_have_a_placeholder() {
    // A PNG of 30,000 × 30,000 pixels of one colour: some kilobytes.
    let mut bomb = Vec::new();
    let mut encoder = png::Encoder::new(&mut bomb, 30_000, 30_000);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::One);
    let mut writer = encoder.write_header().expect("memory");
    writer
        .write_image_data(&vec![0; 3750 * 30_000])
        .expect("memory");
    writer.finish().expect("memory");
    let loose = format!("{VERIFIER}max_pixels = 1000000000\n");
    let home = Home::new(&loose);
    add(&home, "bomb.png", "/bomb.png", bomb);
    add(
        &home,
        "good.png",
        "/good.png",
        picture(ImageFormat::Png, 400, 200),
    );
    let text = home.add("a.txt", &[]);
    home.serve("a.txt", "text");
    home.ok(&["fetch", "a.txt"]);
    let service = Service::start(&home.gannet, &["--no-worker"]);
    assert_eq!(service.get("/images/bomb.png").status, 200, "{text}");
    let page = page(&service, "/images/");
    assert!(page.contains("png, 30000 × 30000"), "{page}");
    let answers = thumbnails(&page)
        .into_iter()
        .map(|place| service.get(&place));
    let answers: Vec<_> = answers.collect();
    let found: Vec<_> = answers
        .iter()
        .map(|one| (one.status, is_placeholder(one)))
        .collect();
    assert_eq!(found, [(200, true), (200, false)]);
    let version = service.get("/api/v1/sources/a.txt").json()["version_id"].to_string();
    let none = service.get(&format!("/versions/{version}/thumbnail"));
    assert!(none.status == 200 && is_placeholder(&none), "{none:?}");
    assert_eq!(service.get("/versions/999/thumbnail").status, 404);
}

#[test]
fn thumbnails_are_kept_and_made_anew_when_they_are_lost_or_damaged() {
    let (home, service) = rig(&[("a.png", picture(ImageFormat::Png, 800, 400))]);
    let place = thumbnails(&page(&service, "/images/")).remove(0);
    let small = service.get(&place);
    assert_eq!(
        small.header("cache-control"),
        Some("private, max-age=31536000, immutable")
    );
    let tag = small.header("etag").expect("a tag");
    let same = service.ask("GET", &place, &[("If-None-Match", tag)], "");
    assert_eq!(same.status, 304);
    let bare = place.split('?').next().expect("a path");
    let unnamed = service.get(bare);
    assert_eq!(
        (unnamed.header("cache-control"), &unnamed.body),
        (Some("private, no-cache"), &small.body)
    );
    let folder = home.data().join("thumbnails");
    let file = || {
        let mut files = fs::read_dir(&folder).expect("a list");
        files.next().expect("a file").expect("a file").path()
    };
    let kept = fs::read(file()).expect("a file");
    fs::write(file(), "damaged").expect("a file");
    assert_eq!(service.get(&place).body, small.body);
    assert_eq!(fs::read(file()).expect("a file"), kept);
    fs::remove_dir_all(&folder).expect("removed");
    assert_eq!(service.get(&place).body, small.body);
    assert_eq!(fs::read(file()).expect("a file"), kept);
    home.ok(&["remove", "a.png", "--purge", "--yes"]);
    assert_eq!(fs::read_dir(&folder).expect("a list").count(), 0);
}

#[test]
fn two_pictures_are_compared_side_by_side() {
    let (home, service) = rig(&[("a.png", picture(ImageFormat::Png, 20, 10))]);
    for next in [
        picture(ImageFormat::Bmp, 30, 10),
        b"<!doctype html><p>gone".to_vec(),
    ] {
        home.origin.on("/a.png", [next]);
        home.run(&["fetch", "a.png"]);
    }
    let pictures = page(&service, "/versions/v1/diff/v2");
    for words in [
        "png to bmp, 20 × 10 to 30 × 10, +",
        "src=\"/versions/1/picture\"",
        "src=\"/versions/2/thumbnail?digest=",
        "alt=\"v1: a.png\"",
        "The other way round",
    ] {
        assert!(pictures.contains(words), "{words}: {pictures}");
    }
    assert!(!pictures.contains(" lines"), "{pictures}");
    let other = page(&service, "/versions/v2/diff/v3");
    assert!(other.contains("One of the two is no picture."), "{other}");
}

#[test]
fn thousands_come_by_page() {
    let good = picture(ImageFormat::Png, 2, 2);
    let names: Vec<_> = (0..61).map(|number| format!("{number:02}.png")).collect();
    let home = Home::new(VERIFIER);
    for name in &names {
        home.origin.on(&format!("/{name}"), [good.clone()]);
        home.add(name, &["--tag", "pictures"]);
    }
    home.ok(&["--worker-only"]);
    let service = Service::start(&home.gannet, &["--no-worker"]);
    let first = page(&service, "/images/");
    assert!(
        first.contains("1–60 of 61") && first.contains(">Images</a>"),
        "{first}"
    );
    let next = first.split("rel=\"next\" href=\"").nth(1);
    let next = next
        .and_then(|rest| rest.split('"').next())
        .expect("another page");
    let second = page(&service, next);
    assert!(
        second.contains("61–61 of 61") && second.contains("60.png"),
        "{second}"
    );
    assert!(
        !second.contains("rel=\"next\"") && second.contains("First page"),
        "{second}"
    );
    assert_eq!(service.get("/images/?after=x").status, 400);
    assert_eq!(service.get("/images").header("location"), Some("/images/"));
}

#[test]
fn members_of_a_set_are_shown_once_their_edition_is_published() {
    let good = picture(ImageFormat::Png, 5, 5);
    let set = "[[verifier]]\nname = \"whole\"\nscope = \"set\"\nsources = [\"tag:pictures\"]\ncommand = [\"true\"]\n";
    let home = Home::new(&format!("{VERIFIER}{set}"));
    home.origin.on("/a.png", [good.clone()]);
    home.add("a.png", &["--tag", "pictures"]);
    home.ok(&["--worker-only"]);
    let service = Service::start(&home.gannet, &["--no-worker"]);
    let answer = service.get("/images/a.png");
    assert_eq!((answer.status, &answer.body), (200, &good), "{answer:?}");
    let published = service.get("/api/v1/images").json()["images"][0]["published_at"].clone();
    assert!(published.is_string(), "{published}");
}
