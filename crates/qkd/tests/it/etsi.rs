//! Messages and identifiers: what is read, and what is refused.

use tieline_qkd::etsi::{
    IdError, KeyContainer, KeyId, KeyIds, KeyRequest, QueryError, SaeId, SecretText,
    key_id_of_query, key_request_of_query, read_message, segment_decode, segment_encode,
};

const ID: &str = "bc490419-7d60-487f-adc1-4ddcc177c139";

fn request(text: &str) -> Option<KeyRequest> {
    read_message(text.as_bytes()).ok()
}

#[test]
fn a_key_request_is_an_object_of_known_types_and_other_fields_are_ignored() {
    assert_eq!(request("{}"), Some(KeyRequest::default()));
    let full = "{\"number\":3,\"size\":1024,\"additional_slave_SAE_IDs\":[\"a\",\"b\"],\
        \"extension_mandatory\":[{\"v_x\":\"direct\"},{\"v_y\":30000}],\"extension_optional\":[{\"v_z\":null}]}";
    let read = request(full).unwrap();
    assert_eq!((read.number, read.size), (Some(3), Some(1024)));
    assert_eq!(serde_json::to_string(&read).unwrap(), full);
    assert!(request("{\"later\":{\"version\":2}}").is_some());
    for refused in [
        "",
        "null",
        "[1]",
        "{\"number\":null}",
        "{\"number\":-1}",
        "{\"number\":1.0}",
        "{\"number\":\"1\"}",
        "{\"number\":1,\"number\":1}",
        "{\"number\":1}x",
        "{\"additional_slave_SAE_IDs\":[\"\"]}",
        "{\"extension_mandatory\":[1]}",
        "{\"extension_mandatory\":null}",
    ] {
        assert_eq!(request(refused), None, "{refused}");
    }
}

#[test]
fn key_ids_are_uuids_in_objects() {
    let ids = |text: &str| read_message::<KeyIds>(text.as_bytes()).ok();
    let one = format!("{{\"key_IDs\":[{{\"key_ID\":\"{ID}\"}}]}}");
    let read = ids(&one).unwrap();
    assert_eq!(read, KeyIds::of(&[ID.parse().unwrap()]));
    assert_eq!(serde_json::to_string(&read).unwrap(), one);
    let capital: KeyId = ID.to_uppercase().parse().unwrap();
    assert_eq!(capital.to_string(), ID);
    for refused in [
        "{}".to_owned(),
        format!("{{\"key_IDs\":[\"{ID}\"]}}"),
        format!("{{\"key_IDs\":[[\"{ID}\"]]}}"),
        "{\"key_IDs\":[{\"key_ID\":\"bc4904197d60487fadc14ddcc177c139\"}]}".to_owned(),
        "{\"key_IDs\":[{\"key_ID\":\"+c490419-7d60-487f-adc1-4ddcc177c139\"}]}".to_owned(),
    ] {
        assert!(ids(&refused).is_none(), "{refused}");
    }
    let key = KeyId::version_8([0xff; 16]).to_string();
    assert_eq!(key, "ffffffff-ffff-8fff-bfff-ffffffffffff");
}

#[test]
fn a_key_container_keeps_the_field_names_and_order_of_the_standard_and_prints_no_key() {
    let text = format!(
        "{{\"keys\":[{{\"key_ID\":\"{ID}\",\"key\":\"wHHVxRwDJs3/bXd38GHP3oe4svTuRpZS0yCC7x4Ly+s=\"}}]}}"
    );
    let read: KeyContainer = read_message(text.as_bytes()).unwrap();
    assert_eq!(serde_json::to_string(&read).unwrap(), text);
    assert_eq!(read.keys[0].key.decode().unwrap().len(), 32);
    assert!(!format!("{read:?}").contains("wHHV"));
    for refused in ["AQ", "AQ=", "AQ===", "A-==", "AR=="] {
        assert!(
            SecretText::new(refused.to_owned()).decode().is_none(),
            "{refused}"
        );
    }
}

#[test]
fn the_forms_with_get_read_numbers_and_names_and_refuse_the_rest() {
    let read = key_request_of_query("number=2&size=512&other=x").unwrap();
    assert_eq!((read.number, read.size), (Some(2), Some(512)));
    assert_eq!(key_request_of_query("").unwrap(), KeyRequest::default());
    for refused in [
        "number=",
        "number=-1",
        "number=%2B1",
        "number=1.5",
        "size=99999999999999999999",
    ] {
        let error = key_request_of_query(refused).unwrap_err();
        assert!(
            matches!(error, QueryError::NoNumber { .. }),
            "{refused}: {error}"
        );
    }
    let twice = key_request_of_query("size=8&size=8").unwrap_err();
    assert_eq!(twice, QueryError::Twice { name: "size" });
    assert_eq!(
        key_id_of_query(&format!("key_ID={ID}"))
            .unwrap()
            .to_string(),
        ID
    );
    assert_eq!(key_id_of_query("").unwrap_err(), QueryError::NoKeyId);
    let no_uuid = key_id_of_query("key_ID=1").unwrap_err();
    assert!(matches!(no_uuid, QueryError::KeyId(IdError::NoUuid { .. })));
}

#[test]
fn sae_ids_are_encoded_in_paths_and_bounded() {
    let odd = "Süd/ost 1?#%";
    assert_eq!(segment_encode(odd), "S%C3%BCd%2Fost%201%3F%23%25");
    assert_eq!(segment_decode(&segment_encode(odd)).unwrap(), odd);
    for refused in ["%", "%4", "%zz", "%ff"] {
        assert!(segment_decode(refused).is_err(), "{refused}");
    }
    assert_eq!(
        "".parse::<SaeId>().unwrap_err(),
        IdError::Length { bytes: 0 }
    );
    assert_eq!(
        "x".repeat(129).parse::<SaeId>().unwrap_err(),
        IdError::Length { bytes: 129 }
    );
    assert_eq!(
        "a\nb".parse::<SaeId>().unwrap_err(),
        IdError::Control { character: '\n' }
    );
}
