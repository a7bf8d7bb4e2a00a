//! Damaged rows of people, sessions and tokens: nobody gets in by one, and all others do.

use gannet::app::{App, ErrorKind};
use gannet::domain::{Role, TokenRole};
use secrecy::SecretString;

use crate::rig::sqlite::damage;
use crate::rig::{Home, TestApp};

fn password() -> SecretString {
    SecretString::from("correct horse")
}

/// Which of anna and ben sign in by password, are signed in, and have a token that is accepted.
async fn let_in(app: &App, secrets: &[(String, String)]) -> Vec<(bool, bool, bool)> {
    let mut let_in = Vec::new();
    for (name, (session, token)) in ["anna", "ben"].iter().zip(secrets) {
        let person = app.person_by_password(name, password()).await;
        let session = app.person_of_session(session).await;
        let token = app.holder_of_token(token).await;
        let_in.push((
            person.expect("an answer").is_some(),
            session.expect("an answer").is_some(),
            token.expect("an answer").is_some(),
        ));
    }
    let_in
}

#[tokio::test]
async fn a_damaged_row_lets_nobody_in_and_keeps_nobody_else_out() {
    let setup = TestApp::new().open().await;
    let mut secrets = Vec::new();
    for name in ["anna", "ben"] {
        let added = setup.add_person(name, Role::Viewer, password()).await;
        added.expect("a person");
        let person = setup.person(name).await.expect("a person");
        let session = setup.begin_session(&person).await.expect("a session");
        let token = setup.create_token(name, TokenRole::Viewer, None, None);
        let token = token.await.expect("a token");
        secrets.push((session.expose().to_owned(), token.expose().to_owned()));
    }
    assert_eq!(let_in(&setup, &secrets).await, [(true, true, true); 2]);
    let whole = setup.folder().join("whole.db");
    crate::rig::sqlite::copy(setup.folder(), &whole);
    let mut setup = setup.closed();
    let anna_s = "person_id = (SELECT id FROM person WHERE name = 'anna')";
    let person = (false, false, true);
    for (table, column, value, anna) in [
        ("person", "role", "'admin'", person),
        ("person", "role", "'viewfr'", person),
        ("person", "role", "x'00'", person),
        ("person", "disabled", "2", person),
        ("person", "password_hash", "password_hash || 'a'", person),
        ("person", "password_hash", "7", person),
        ("person", "created_at", "'x'", person),
        ("person", "checksum", "NULL", person),
        ("session", "used_at", "'x'", (true, false, true)),
        (
            "session",
            "created_at",
            "created_at + 1",
            (true, false, true),
        ),
        ("session", "checksum", "0", (true, false, true)),
        ("session", "person_id", "99", (true, false, true)),
        ("token", "role", "'operator'", (true, true, false)),
        ("token", "revoked_at", "7", (true, true, false)),
        ("token", "verifier", "'eyes'", (true, true, false)),
        ("token", "expires_at", "9e99", (true, true, false)),
        ("token", "last_used_at", "'x'", (true, true, false)),
    ] {
        let app = setup.open().await;
        let wanted = if table == "session" {
            anna_s
        } else {
            "name = 'anna'"
        };
        let folder = app.folder().to_owned();
        setup = app.closed();
        std::fs::copy(&whole, folder.join("gannet.db")).expect("put back");
        let statement = format!("UPDATE {table} SET {column} = {value} WHERE {wanted}");
        assert_eq!(damage(&folder, &statement), 1, "{statement}");
        let app = setup.open().await;
        let found = let_in(&app, &secrets).await;
        assert_eq!(found, [anna, (true, true, true)], "{statement}");
        let damage = app.damage();
        assert!(damage.iter().all(|line| line.contains(table)), "{damage:?}");
        assert!(!damage.is_empty(), "{statement}");
        assert!(!damage.concat().contains("argon2"), "{damage:?}");
        let lists = (app.people().await, app.tokens().await);
        let lists = (
            lists.0.expect("people").len(),
            lists.1.expect("tokens").len(),
        );
        let expected = (
            2 - usize::from(table == "person"),
            2 - usize::from(table == "token"),
        );
        assert_eq!(lists, expected, "{statement}");
        setup = app.closed();
    }
}

#[tokio::test]
async fn a_person_whose_row_is_damaged_can_be_added_anew() {
    let app = TestApp::new().open().await;
    let add = || app.add_person("anna", Role::Viewer, password());
    add().await.expect("a person");
    let anna = app.person("anna").await.expect("anna");
    let session = app.begin_session(&anna).await.expect("a session");
    damage(app.folder(), "UPDATE person SET role = 'admin'");
    let error = app
        .set_role("anna", Role::Viewer)
        .await
        .expect_err("damage");
    assert_eq!(error.kind, ErrorKind::Damaged);
    assert!(error.hint.unwrap_or_default().contains("gannet user add"));
    add().await.expect("the person anew");
    assert_eq!(app.person("anna").await.expect("anna").role, Role::Viewer);
    let found = app.person_of_session(session.expose()).await;
    assert_eq!(found.expect("an answer"), None);
}

#[tokio::test]
async fn a_damaged_token_keeps_no_name_and_is_revoked_as_damage() {
    let app = TestApp::new().open().await;
    let create = || app.create_token("ci", TokenRole::Viewer, None, None);
    create().await.expect("a token");
    damage(app.folder(), "UPDATE token SET role = x'00'");
    let error = app.revoke_token("ci").await.expect_err("damage");
    assert_eq!(error.kind, ErrorKind::Damaged, "{error}");
    let secret = create().await.expect("a free name");
    app.revoke_token("ci").await.expect("revoked");
    let found = app.holder_of_token(secret.expose()).await;
    assert_eq!(found.expect("an answer"), None);
}

#[test]
fn lists_name_the_damaged_row_and_have_all_others() {
    let home = Home::new("");
    home.ok(&["build_db"]);
    for name in ["anna", "ben"] {
        let add = ["user", "add", name, "--role", "viewer"];
        let said = home.run_with(&add, "correct horse");
        assert_eq!(said.code, Some(0), "{said:?}");
        home.ok(&["token", "create", name, "--role", "viewer"]);
    }
    for (table, command) in [("person", "user"), ("token", "token")] {
        let damaged = format!("UPDATE {table} SET role = 'admin' WHERE name = 'anna'");
        damage(&home.data(), &damaged);
        let said = home.run(&[command, "list", "--csv"]);
        assert_eq!(said.code, Some(3), "{said:?}");
        let row = format!("row 1 of the table `{table}` is damaged: it does not fit its checksum");
        assert!(said.err.contains(&row), "{said:?}");
        let has = |name: &str| said.out.contains(&format!("\n{name},viewer"));
        assert!(has("ben") && !said.out.contains("anna,"), "{said:?}");
    }
    let said = home.run_with(&["user", "passwd", "anna"], "correct horse");
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(said.err.contains("`gannet user add NAME`"), "{said:?}");
}
