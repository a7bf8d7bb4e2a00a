//! A part of the data folder that lies on another disk: linked or mounted there by whoever runs the machine.

use std::fs;

use crate::namespace::in_mount_namespace;
use crate::origin::{Origin, Reply};
use crate::rig::Gannet;

#[test]
fn parts_of_the_data_folder_may_lie_on_another_disk() {
    let origin = Origin::start(true);
    let large: Vec<u8> = (0..1_500_000_u32)
        .flat_map(|n| n.wrapping_mul(n).to_le_bytes())
        .collect();
    let gannet = Gannet::trusting(origin.ca_file(), "");
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
    // What is elsewhere: the published files, those of one host, the objects, the temporary files.
    let published = "ln -s \"$HOME/disk\" \"$data/published\"".to_owned();
    let one_host = format!(
        "mkdir -p \"$data/published/{host}\"; mount --bind \"$HOME/disk\" \"$data/published/{host}\""
    );
    let objects = "ln -s \"$HOME/disk\" \"$data/objects\"".to_owned();
    let temporary = "chmod 700 \"$HOME/disk\"; ln -s \"$HOME/disk\" \"$data/tmp\"".to_owned();
    for elsewhere in [published, one_host, objects, temporary] {
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
        let left = i32::from(elsewhere.contains("objects"));
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
