//! Key managers as processes of their own.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tieline_qkd::client::{Client, ClientOptions};
use tieline_qkd::etsi::SaeId;
use tieline_qkd::tls::Identity;

use crate::support::tieline;

pub(super) fn sae(name: &str) -> SaeId {
    name.parse().unwrap()
}

/// A folder with certificates and settings, made by the program, with ports that were free.
pub(super) struct Ground {
    folder: TempDir,
    /// SAEs of kme-1, pages of kme-1, dialled, SAEs of kme-2, pages of kme-2, dialled.
    pub(super) ports: [u16; 6],
}

impl Ground {
    /// `keys` are lines for the table of sizes and times.
    pub(super) fn new(keys: &str) -> Ground {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().to_str().unwrap().to_owned();
        tieline(&["qkd", "certs", &dir, "--port", "4100"]).expect(0);
        let free: Vec<TcpListener> = (0..6)
            .map(|_| TcpListener::bind("127.0.0.1:0").unwrap())
            .collect();
        let ports = std::array::from_fn(|i| free[i].local_addr().unwrap().port());
        for name in ["kme-1.toml", "kme-2.toml"] {
            let path = folder.path().join(name);
            let mut text = std::fs::read_to_string(&path).unwrap();
            for (index, port) in ports.iter().enumerate() {
                text = text.replace(&format!(":{}\"", 4100 + index), &format!(":{port}\""));
            }
            std::fs::write(&path, format!("{text}\n[keys]\n{keys}\n")).unwrap();
        }
        Ground { folder, ports }
    }

    pub(super) fn dir(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn path(&self, name: &str) -> String {
        self.dir().join(name).to_str().unwrap().to_owned()
    }

    pub(super) fn url(&self, end: usize) -> String {
        format!("https://127.0.0.1:{}", self.ports[3 * end])
    }

    pub(super) fn client(&self, end: usize, sae: &str, options: ClientOptions) -> Client {
        let file = |ending: &str| -> PathBuf { self.dir().join(format!("{sae}.{ending}")) };
        let identity = Identity::read(&file("pem"), &file("key"), &self.dir().join("ca.pem"));
        Client::new(&self.url(end), &identity.unwrap(), options).unwrap()
    }

    /// Runs key managers of these settings; the process has its listeners when this returns.
    pub(super) fn serve(&self, settings: &[&str]) -> Server {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tieline"));
        command.args(["qkd", "serve", "--quiet"]);
        command.args(settings.iter().map(|name| self.path(name)));
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        for _ in settings {
            lines.next().expect("a line with addresses").unwrap();
        }
        Server { child }
    }

    /// Waits until keys can be had at both ends.
    pub(super) fn wait(&self) {
        let runtime = runtime();
        for (end, (caller, slave)) in [("sae-1", "sae-2"), ("sae-2", "sae-1")]
            .into_iter()
            .enumerate()
        {
            let client = self.client(end, caller, ClientOptions::default());
            let start = Instant::now();
            loop {
                let status = runtime.block_on(client.status(&sae(slave)));
                if status
                    .as_ref()
                    .is_ok_and(|status| status.stored_key_count > 0)
                {
                    break;
                }
                assert!(start.elapsed() < Duration::from_secs(60), "{status:?}");
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }
}

pub(super) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}

/// A process that ends with its value.
pub(super) struct Server {
    child: Child,
}

impl Server {
    /// kill -9.
    pub(super) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// The signal of a service manager; returns the exit code.
    pub(super) fn terminate(&mut self) -> i32 {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status().unwrap();
        assert!(sent.success());
        self.child.wait().unwrap().code().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
