//! Pages, orders and filters, as the SDK, the generated clients and the web page of KFP send them.

use serde_json::{Value, json};

use crate::harness::TestServer;

async fn with_experiments(names: &[&str]) -> TestServer {
    let server = TestServer::start().await;
    for name in names {
        server.check("POST @/experiments", Some(json!({ "display_name": name })), 200, json!({})).await;
    }
    server
}

fn names(list: &Value) -> Vec<&str> {
    list["experiments"].as_array().map_or_else(Vec::new, |items| {
        items.iter().map(|item| item["display_name"].as_str().unwrap()).collect()
    })
}

#[tokio::test]
async fn orders_and_filters() {
    let server = with_experiments(&["beta", "alpha plus", "gamma"]).await;
    let equals = |value: &str| {
        let filter =
            json!({ "predicates": [{ "operation": 1, "key": "display_name", "stringValue": value }] });
        form_urlencoded::byte_serialize(filter.to_string().as_bytes()).collect::<String>()
    };
    let twice = |text: String| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let substring =
        json!({ "predicates": [{ "operation": "IS_SUBSTRING", "key": "name", "string_value": "a p" }] });
    let substring: String = form_urlencoded::byte_serialize(substring.to_string().as_bytes()).collect();
    let rows: [(String, &[&str]); 9] = [
        (String::new(), &["Default", "beta", "alpha plus", "gamma"]),
        (
            "?page_token=&sort_by=&filter=&namespace=kubeflow".to_owned(),
            &["Default", "beta", "alpha plus", "gamma"],
        ),
        ("?sort_by=created_at+desc".to_owned(), &["gamma", "alpha plus", "beta", "Default"]),
        ("?sortBy=display_name%20asc&pageSize=2".to_owned(), &["Default", "alpha plus"]),
        (
            "?sort_by=name&page_size=1000&no_such_parameter=1".to_owned(),
            &["Default", "alpha plus", "beta", "gamma"],
        ),
        (format!("?filter={}", equals("alpha plus")), &["alpha plus"]),
        (format!("?filter={}", twice(equals("alpha plus"))), &["alpha plus"]),
        (format!("?filter={substring}"), &["alpha plus"]),
        (format!("?filter={}", equals("nobody")), &[]),
    ];
    for (query, expected) in rows {
        let list = server.check(&format!("GET @/experiments{query}"), None, 200, json!({})).await;
        assert_eq!(names(&list), expected, "{query}");
    }
    let none =
        server.check(&format!("GET @/experiments?filter={}", equals("nobody")), None, 200, json!({})).await;
    assert_eq!(none, json!({}), "an empty list shows nothing at all");
}

#[tokio::test]
async fn pages() {
    let server = with_experiments(&["a", "b", "c"]).await;
    let first = server
        .check(
            "GET @/experiments?page_size=2&sort_by=name desc"
                .replace(' ', "%20")
                .replacen("%20", " ", 1)
                .as_str(),
            None,
            200,
            json!({ "total_size": 4 }),
        )
        .await;
    assert_eq!(names(&first), ["c", "b"]);
    let token = first["next_page_token"].as_str().unwrap();
    let second = server
        .check(
            &format!("GET @/experiments?page_size=2&page_token={token}"),
            None,
            200,
            json!({ "total_size": 4, "next_page_token": null }),
        )
        .await;
    assert_eq!(names(&second), ["a", "Default"]);
    let rows = [
        format!("GET @/experiments?page_token={token}&sort_by=name"),
        format!(
            "GET @/experiments?page_token={token}&filter=%7B%22predicates%22:%5B%7B%22operation%22:1,%22key%22:%22name%22,%22stringValue%22:%22a%22%7D%5D%7D"
        ),
        format!("GET @/pipelines?page_token={token}"),
        format!("GET @/experiments?page_token={}", token.replace('a', "b")),
    ];
    for line in rows {
        server.check_error(&line, None, 400, 3).await;
    }
}
