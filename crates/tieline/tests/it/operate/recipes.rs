//! Every command of the document, in its order, against processes.

use std::process::Command;
use std::rc::Rc;

use serde_json::Value;

use crate::chain::ground::Ground;
use crate::fleet::ground::Fleet;
use crate::support::root;

/// Blocks of an epoch: seconds instead of a day.
const EPOCH_BLOCKS: &str = "12";

/// How the fleet founds its chain, but for seed and epochs, and on ports of its own.
const INIT: &str = "tieline chain init village --chain village --listen-base 127.0.0.1:4700";

/// What the unit of the document starts, and so does the fleet.
const START: &str = "ExecStart=tieline node village/%i --passphrase-file phrase\n";

/// Sections of the document with their commands.
fn sections(text: &str) -> Vec<(String, Vec<String>)> {
    let mut sections: Vec<(String, Vec<String>)> = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("## ") {
            sections.push((name.to_owned(), Vec::new()));
        } else if line.starts_with("```") {
            inside = line == "```sh";
        } else if inside && let Some((_, commands)) = sections.last_mut() {
            commands.push(line.to_owned());
        }
    }
    sections.retain(|(_, commands)| !commands.is_empty());
    sections
}

struct Runner {
    fleet: Fleet,
    /// The port that stands for 4700.
    base: u16,
    /// What the last command printed.
    said: String,
}

impl Runner {
    fn new() -> Runner {
        let ground = Rc::new(Ground::new());
        let epochs = ["--epoch-blocks", EPOCH_BLOCKS];
        let fleet = Fleet::found(&ground, "village", &epochs);
        let text = ground.text("village/node-1/node.toml");
        let settings: toml::Table = text.parse().unwrap();
        let listen = settings["listen"]
            .as_str()
            .unwrap()
            .rsplit_once(':')
            .unwrap();
        Runner {
            fleet,
            base: listen.1.parse().unwrap(),
            said: String::new(),
        }
    }

    /// With the ports of this run in the place of the document's.
    fn here(&self, command: &str) -> String {
        let mut parts = command.split("127.0.0.1:47");
        let mut here = parts.next().unwrap().to_owned();
        for part in parts {
            let (port, rest) = part.split_at(2);
            let port = self.base + port.parse::<u16>().unwrap();
            here.push_str(&format!("127.0.0.1:{port}{rest}"));
        }
        here
    }

    fn run(&mut self, command: &str) {
        let here = self.here(command);
        let words: Vec<&str> = here.split_whitespace().collect();
        match words[..] {
            ["tieline", "chain", "init", ..] => assert_eq!(command, INIT),
            ["tieline", "chain", "handover", "submit", ..] => self.submit(&words[1..]),
            ["tieline", ..] => self.tieline(&words[1..]),
            ["systemctl", verb, unit] => {
                let number = unit.strip_prefix("tieline@node-").unwrap();
                self.unit(verb, number.parse().unwrap());
            }
            ["curl", "-s", url] => {
                let (address, path) = url[7..].split_once('/').unwrap();
                let port: u16 = address.rsplit_once(':').unwrap().1.parse().unwrap();
                let node = usize::from(port - self.base).div_ceil(2);
                let answer = self.fleet.get(node, &format!("/{path}"));
                answer.unwrap().expect(200);
            }
            ["cat" | "cp" | "rm", ..] => {
                let folder = self.fleet.ground.path(".");
                let mut shell = Command::new("sh");
                let ran = shell.args(["-ec", &here]).current_dir(folder).status();
                assert!(ran.unwrap().success(), "{here}");
            }
            _ => panic!("the document has a command that nobody runs: {command}"),
        }
    }

    fn tieline(&mut self, arguments: &[&str]) {
        let ran = self.fleet.ground.run(arguments);
        assert_eq!(
            ran.code,
            0,
            "{arguments:?}\n{}{}\n{}",
            ran.stdout,
            ran.stderr,
            self.fleet.logs()
        );
        self.said = ran.stdout;
    }

    /// What systemd does.
    fn unit(&mut self, verb: &str, node: usize) {
        if verb != "start" {
            assert!(self.fleet.end(node).success(), "{}", self.fleet.logs());
        }
        if verb == "stop" {
            return;
        }
        if node > self.fleet.all().len() {
            self.fleet.adopt();
        }
        let nodes = self.running().into_iter();
        let top = nodes.map(|node| self.fleet.height(node)).max();
        self.fleet.start(node);
        let what = format!("node {node} has the height of the rest");
        self.fleet.wait(&what, 90, |fleet| {
            let status = fleet.status(node)?;
            (status.height >= top.unwrap_or(0)).then_some(())
        });
    }

    /// A change counts from the end of the epoch on.
    fn submit(&mut self, arguments: &[&str]) {
        let running = self.running();
        let before = self.fleet.status(running[0]).unwrap().epoch;
        self.tieline(arguments);
        self.fleet
            .wait("the next validators are in charge", 90, |fleet| {
                let over = |node: &usize| fleet.status(*node).is_some_and(|it| it.epoch > before);
                running.iter().all(over).then_some(())
            });
    }

    fn running(&self) -> Vec<usize> {
        let all = self.fleet.all().into_iter();
        all.filter(|node| self.fleet.status(*node).is_some())
            .collect()
    }

    /// Waits until all validators that run vote, and returns who they are.
    fn voters(&mut self) -> Vec<usize> {
        let running = self.running();
        self.fleet.wait("every validator votes", 90, |fleet| {
            let mut voters = Vec::new();
            for node in &running {
                let status = fleet.get(*node, "/v1/status")?.json();
                let votes = status["votes"] == Value::Bool(true);
                if votes {
                    voters.push(*node);
                } else if in_charge(fleet, *node, &status) {
                    return None;
                }
            }
            Some(voters)
        })
    }

    /// All validators that run have the same block and root at one height.
    fn agree(&mut self) {
        let running = self.running();
        let heights = running.iter().map(|node| self.fleet.height(*node));
        let height = heights.max().unwrap().max(1);
        self.fleet.wait_height(&running, height);
        let blocks = running.iter().map(|node| {
            let answer = self.fleet.get(*node, &format!("/v1/blocks/{height}"));
            let block = answer.unwrap().expect(200).json();
            let root = block["header"]["state_root_before"].clone();
            (block["block"].clone(), root)
        });
        let blocks: Vec<_> = blocks.collect();
        assert!(
            blocks.iter().all(|one| *one == blocks[0]),
            "{height}: {blocks:?}"
        );
    }
}

fn in_charge(fleet: &Fleet, node: usize, status: &Value) -> bool {
    let text = fleet.ground.text(&format!("village/node-{node}/node.toml"));
    let settings: toml::Table = text.parse().unwrap();
    let own = settings["identity"].as_str().unwrap();
    let mut set = status["validators"].as_array().unwrap().iter();
    set.any(|it| it["identity"] == own)
}

#[test]
fn every_recipe_is_run_as_it_stands() {
    let text = std::fs::read_to_string(root().join("docs/operate.md")).unwrap();
    assert!(text.contains(START));
    let mut runner = Runner::new();
    // Who votes after each of these sections.
    let expected: [(&str, &[usize]); 6] = [
        ("Stop", &[1, 2, 3, 4]),
        ("Add a validator", &[1, 2, 3, 4, 5]),
        ("Remove a validator", &[2, 3, 4, 5]),
        ("Replace a validator, rotate its keys", &[3, 4, 5, 6]),
        ("Restore", &[3, 4, 5, 6]),
        ("Catch-up of an empty node", &[3, 4, 5, 6]),
    ];
    let mut seen = 0;
    let begun = std::time::Instant::now();
    for (name, commands) in sections(&text) {
        eprintln!("{:>5} s  {name}", begun.elapsed().as_secs());
        for command in &commands {
            runner.run(command);
            if command.starts_with("tieline chain verify") {
                assert!(runner.said.contains("handovers     3\n"), "{}", runner.said);
            }
        }
        if runner.running().is_empty() {
            continue;
        }
        let voters = runner.voters();
        if let Some((_, wanted)) = expected.iter().find(|(of, _)| *of == name) {
            assert_eq!(voters, *wanted, "{name}\n{}", runner.fleet.logs());
            seen += 1;
        }
        runner.agree();
    }
    assert_eq!(seen, expected.len());
    eprintln!("{:>5} s", begun.elapsed().as_secs());
}
