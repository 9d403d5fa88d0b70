//! A browser for tests: Chromium behind chromedriver, spoken to in WebDriver's plain HTTP.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

/// A browser window; closed when dropped.
pub struct Browser {
    driver: Child,
    port: u16,
    session: String,
    /// Open as long as the driver may write to it.
    _output: BufReader<ChildStdout>,
}

/// What starts a browser; `None` where there is none and `LRGRID_REQUIRE_BROWSER` does not ask for one.
pub fn browser(arguments: &[&str]) -> Option<Browser> {
    // A port chosen here could be another's by the time the driver takes it.
    let driver = Command::new("chromedriver").arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
    let mut driver = match driver {
        Ok(driver) => driver,
        Err(error) => {
            assert!(std::env::var_os("LRGRID_REQUIRE_BROWSER").is_none(), "no chromedriver: {error}");
            println!("left out: no chromedriver ({error}); scripts/test installs one");
            return None;
        }
    };
    // It says so once it listens.
    let mut output = BufReader::new(driver.stdout.take().unwrap());
    let mut line = String::new();
    let port = loop {
        line.clear();
        assert!(output.read_line(&mut line).unwrap() > 0, "chromedriver ended");
        if let Some((_, port)) = line.trim_end().trim_end_matches('.').rsplit_once("successfully on port ") {
            break port.parse().unwrap();
        }
    };
    let mut browser = Browser { driver, port, session: String::new(), _output: output };
    let mut all = vec!["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1000,760"];
    all.extend(arguments);
    let wanted = json!({ "capabilities": { "alwaysMatch": {
        "goog:chromeOptions": { "args": all },
        "goog:loggingPrefs": { "browser": "ALL" },
    } } });
    let session = browser.call("POST", "/session", &wanted);
    browser.session = session["sessionId"].as_str().unwrap().to_owned();
    browser.command("POST", "/timeouts", &json!({ "script": 120_000 }));
    Some(browser)
}

impl Browser {
    fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let body = if method == "POST" { body.to_string() } else { String::new() };
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = Vec::new();
        let mut part = [0; 1 << 16];
        // The driver keeps connections open: the announced length says when the answer is whole.
        loop {
            let read = stream.read(&mut part).unwrap();
            answer.extend_from_slice(&part[..read]);
            let text = String::from_utf8_lossy(&answer);
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let length = head.lines().find_map(|line| {
                    line.to_ascii_lowercase()
                        .strip_prefix("content-length:")
                        .map(|l| l.trim().parse::<usize>().unwrap())
                });
                if read == 0 || length.is_some_and(|length| answer.len() - head.len() - 4 >= length) {
                    let value: Value = serde_json::from_str(body).unwrap();
                    assert!(value["value"].get("error").is_none_or(Value::is_null), "{path}: {}", value["value"]);
                    return value["value"].clone();
                }
            }
            assert!(read > 0, "{path}: the driver hung up");
        }
    }

    /// A command of the session.
    pub fn command(&self, method: &str, path: &str, body: &Value) -> Value {
        self.call(method, &format!("/session/{}{path}", self.session), body)
    }

    /// Runs a script; a promise is waited for.
    pub fn run(&self, script: &str) -> Value {
        self.command("POST", "/execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// The errors in the page's console.
    pub fn complaints(&self) -> Vec<Value> {
        let log = self.command("POST", "/se/log", &json!({ "type": "browser" }));
        let loud = |entry: &&Value| entry["level"] == "SEVERE";
        log.as_array().unwrap().iter().filter(loud).cloned().collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if !self.session.is_empty() && !std::thread::panicking() {
            self.command("DELETE", "", &Value::Null);
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
