//! A part of the data folder that lies on another disk: linked or mounted there by whoever runs the machine.

use std::fs;

use crate::rig::{Gannet, Home, Origin, Reply, in_mount_namespace, sqlite};

/// A content that lies in a file of its own.
fn large() -> Vec<u8> {
    let numbers = 0..1_500_000_u32;
    numbers
        .flat_map(|n| n.wrapping_mul(n).to_le_bytes())
        .collect()
}

#[test]
fn parts_of_the_data_folder_may_lie_on_another_disk() {
    let gannet = Home::new("");
    let origin = &gannet.origin;
    let large = large();
    let mut sources = String::new();
    for n in 0..12 {
        let url = origin.url(&format!("/{n}.txt"));
        sources.extend([
            "[[source]]\naddress = \"",
            &url,
            "\"\nallow_private = true\n",
        ]);
    }
    origin.on("/large.bin", [Reply::file(large.clone())]);
    let url = origin.url("/large.bin");
    sources.extend([
        "[[source]]\naddress = \"",
        &url,
        "\"\nallow_private = true\n",
    ]);
    fs::write(gannet.path("sources.toml"), sources).expect("a file");
    fs::write(gannet.path("large.bin"), large).expect("a file");
    let host = origin.host().replace(':', "_");
    // What is elsewhere, by a link or a mount of another disk: the published files, those of one host, the objects, the temporary
    // files. Where the last is true, temporary files lie beside the published ones.
    let mut cases = vec![
        ("ln -s \"$HOME/disk\" \"$data/published\"".to_owned(), true),
        (
            format!(
                "mkdir -p \"$data/published/{host}\"; mount --bind \"$HOME/disk\" \"$data/published/{host}\""
            ),
            true,
        ),
        ("ln -s \"$HOME/disk\" \"$data/objects\"".to_owned(), false),
        (
            "chmod 700 \"$HOME/disk\"; ln -s \"$HOME/disk\" \"$data/tmp\"".to_owned(),
            true,
        ),
    ];
    // The same disk, mounted once more: none can be renamed to it either.
    for (folder, is_beside) in [
        ("published", true),
        (&*format!("published/{host}"), true),
        ("tmp", true),
        ("objects", false),
        ("trash", false),
        ("sets", false),
    ] {
        let mount = format!(
            "rm -rf \"$HOME/other\"; mkdir -m 700 \"$HOME/other\"; mkdir -p -m 700 \"$data/{folder}\"; chmod 755 \"$data\"
             mount --bind \"$HOME/other\" \"$data/{folder}\""
        );
        cases.push((mount, is_beside));
    }
    for (elsewhere, is_beside) in cases {
        for n in 0..12 {
            let replies = ["one", "two"].map(|word| Reply::file(format!("{word} {n}")));
            origin.on(&format!("/{n}.txt"), replies);
        }
        let script = format!(
            "rm -rf \"$data\"; mkdir -p \"$HOME/disk\" \"$data\"; mount -t tmpfs none \"$HOME/disk\"; {elsewhere}
             \"$gannet\" apply \"$HOME/sources.toml\" >/dev/null
             \"$gannet\" --worker-only; \"$gannet\" fetch 0.txt >/dev/null
             cat \"$data/published/{host}/0.txt\"; echo; cmp \"$data/published/{host}/large.bin\" \"$HOME/large.bin\"
             \"$gannet\" cat large.bin | cmp - \"$HOME/large.bin\"
             ls -A \"$data/published/{host}\" | grep -c '^[0-9l]'; ls -A \"$data/published/{host}\" | grep '^[.]' || true
             touch \"$data/published/{host}/.gannet-left\"; \"$gannet\" fetch 1.txt >/dev/null
             ls -A \"$data/published/{host}\" | grep -c gannet-left || true"
        );
        let Some(said) = in_mount_namespace(&gannet, &script) else {
            return;
        };
        // What a killed process left is removed where temporary files lie beside their target, and only there.
        let left = i32::from(!is_beside);
        let expected = format!("two 0\n13\n{left}\n");
        assert_eq!(
            (said.code, said.out),
            (Some(0), expected),
            "{elsewhere}: {}",
            said.err
        );
        assert_eq!(said.err, "", "{elsewhere}");
    }
}

#[test]
fn the_trash_and_the_objects_may_lie_apart() {
    let origin = Origin::start(true);
    origin.on("/large.bin", [Reply::file(large())]);
    for apart in ["objects", "trash"] {
        let gannet = Gannet::trusting(origin.ca_file(), "");
        fs::write(gannet.path("large.bin"), large()).expect("a file");
        gannet.ok(&["add", &origin.url("/large.bin"), "--allow-private"]);
        gannet.ok(&["fetch", "large.bin"]);
        sqlite::make_tidying_due(&gannet.data());
        // An object that is needed comes back from the trash, and one that is not goes there, whole in both.
        let script = format!(
            "mkdir -m 700 \"$HOME/other\"; mkdir -p -m 700 \"$data/{apart}\"
             if [ {apart} = objects ]; then cp -r \"$data/objects/.\" \"$HOME/other\"; fi
             mount --bind \"$HOME/other\" \"$data/{apart}\"
             day=\"$data/trash/2001-01-01.2001-01-08.7\"; mkdir -p \"$day\"
             cp -r \"$data/objects\" \"$day/objects\"; rm -r \"$data/objects/\"*
             count() {{ find \"$data/$1\" -type f | wc -l; }}
             count objects; count trash
             \"$gannet\" --worker-only; \"$gannet\" cat large.bin | cmp - \"$HOME/large.bin\"
             count objects; count trash
             \"$gannet\" remove large.bin --purge --yes >/dev/null 2>&1; echo \"purged=$?\"
             count objects; count trash; find \"$data/trash\" -type f -exec cmp {{}} \"$HOME/object\" \\;
             \"$gannet\" --worker-only 2>/dev/null; echo \"pass=$?\""
        );
        let script = format!("cp \"$data\"/objects/*/* \"$HOME/object\"\n{script}");
        let Some(said) = in_mount_namespace(&gannet, &script) else {
            return;
        };
        let counts: Vec<_> = said.out.split_ascii_whitespace().collect();
        assert_eq!(
            counts,
            ["0", "1", "1", "0", "purged=0", "0", "1", "pass=0"],
            "{apart}: {said:#?}"
        );
        assert_eq!(said.err, "", "{apart}");
    }
}
