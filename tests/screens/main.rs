//! Makes the README's pictures from the real program: `cargo test --test screens`. Not run with the other tests: the
//! pictures change with every new hour.

#[path = "../rig/mod.rs"]
#[allow(dead_code, unused_imports, reason = "the tests use more of it")]
mod rig;

#[path = "../browser/driver/mod.rs"]
#[allow(dead_code, unused_imports, reason = "the tests use more of it")]
mod driver;

use std::fmt::Write as _;
use std::path::Path;

use driver::{Browser, started};
use rig::{Gannet, Start, Terminal};

/// Pixels of a cell.
const CELL: (u16, u16) = (8, 17);
const MARGIN: u16 = 12;
/// Pixels of a page.
const PAGE_HEIGHT: f64 = 860.0;
const INK: &str = "#d8dee9";
const PAPER: &str = "#14181f";
/// The terminal's sixteen colours.
const PALETTE: [&str; 16] = [
    "#3b4252", "#d05c65", "#8fb573", "#dfbf7a", "#6f9fd8", "#b48ead", "#7fc5c5", "#d8dee9",
    "#6b7589", "#f0717b", "#a5d08a", "#f2d58d", "#86b6ee", "#cba6d8", "#93dcdc", "#ffffff",
];

fn main() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/screens");
    let gannet = Gannet::new();
    let mut terminal = Start::gannet(&gannet, &["demo"]).size(120, 34).run();
    // So late that files have changed, failed their verifiers, gone and come back.
    terminal.wait_for("FAIL 3");
    terminal.press("jjjj");
    terminal.wait_for("History: prices.csv");
    draw(&folder.join("main.svg"), &mut terminal);
    terminal.press("\r");
    terminal.wait_for("latency of attempts");
    draw(&folder.join("source.svg"), &mut terminal);
    terminal.press("d");
    terminal.wait_for("item");
    draw(&folder.join("difference.svg"), &mut terminal);
    terminal.press("\u{3}");
    assert_eq!(terminal.ended().exit_code(), 0);
    draw_pages(&folder, &gannet);
}

/// Makes the pictures of the pages, light and dark.
fn draw_pages(folder: &Path, gannet: &Gannet) {
    let (_terminal, address, link) = started(Start::gannet(gannet, &["demo", "--serve"]));
    let Some(mut browser) = Browser::start(&address) else {
        return;
    };
    browser.goto(&link);
    browser.click("button", "Sign in");
    // So late that the list of passes is full, and at the worst hour of the demo.
    browser.wait_for(
        "document.querySelectorAll('#passes ~ .scroll tbody tr').length === 8
            && /4 sources need attention/.test(document.body.innerText)",
    );
    for (name, is_dark) in [("pages.png", false), ("pages-dark.png", true)] {
        browser.look(1280, is_dark);
        let path = folder.join(name);
        browser
            .picture(&path, Some(PAGE_HEIGHT))
            .expect("a picture");
        println!("{}", path.display());
    }
}

fn draw(path: &Path, terminal: &mut Terminal) {
    terminal.wait_for_a_whole_frame();
    std::fs::write(path, svg(terminal.screen())).expect("the picture is written");
    println!("{}", path.display());
}

/// Returns the screen as a picture: a line of text for each run of cells that look the same.
fn svg(screen: &vt100::Screen) -> String {
    let (rows, columns) = screen.size();
    let (rows, columns) = (rows.get(), columns.get());
    let (width, height) = (columns * CELL.0 + 2 * MARGIN, rows * CELL.1 + 2 * MARGIN);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-size=\"13\" \
         font-family=\"DejaVu Sans Mono, Menlo, Consolas, monospace\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"6\" fill=\"{PAPER}\"/>\n"
    );
    for row in 0..rows {
        let mut column = 0;
        while column < columns {
            let first = look(screen, row, column);
            let mut text = String::new();
            let start = column;
            while column < columns && look(screen, row, column) == first {
                let cell = screen.cell(row, column).expect("on the screen");
                if !cell.is_wide_continuation() {
                    text.push_str(if cell.has_contents() {
                        cell.contents()
                    } else {
                        " "
                    });
                }
                column += 1;
            }
            piece(&mut svg, (row, start, column), &text, first);
        }
    }
    svg.push_str("</svg>\n");
    svg
}

/// Returns a cell's colour, and whether it is bold and reversed.
fn look(screen: &vt100::Screen, row: u16, column: u16) -> (&'static str, bool, bool) {
    let cell = screen.cell(row, column).expect("on the screen");
    let colour = match cell.fgcolor() {
        vt100::Color::Idx(at) => PALETTE.get(usize::from(at)).copied().unwrap_or(INK),
        _ => INK,
    };
    (colour, cell.bold(), cell.inverse())
}

fn piece(
    svg: &mut String,
    (row, start, end): (u16, u16, u16),
    text: &str,
    (colour, bold, reversed): (&str, bool, bool),
) {
    if text.trim().is_empty() && !reversed {
        return;
    }
    let (x, y) = (MARGIN + start * CELL.0, MARGIN + row * CELL.1);
    let width = (end - start) * CELL.0;
    let mut ink = colour;
    if reversed {
        ink = PAPER;
        let _ = writeln!(
            svg,
            "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{}\" fill=\"{colour}\"/>",
            CELL.1
        );
    }
    let weight = if bold { " font-weight=\"bold\"" } else { "" };
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    let _ = writeln!(
        svg,
        "<text x=\"{x}\" y=\"{}\" textLength=\"{width}\" lengthAdjust=\"spacingAndGlyphs\" fill=\"{ink}\"{weight} \
         xml:space=\"preserve\">{text}</text>",
        y + 13
    );
}
