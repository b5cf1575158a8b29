#include "tests/support/subunit/subunit_v1_json.hpp"

namespace hearth::protocol::test {
namespace {

Json attachments_json(const std::vector<v1::Attachment>& attachments) {
  Json json = Json::array();
  for (const auto& attachment : attachments) {
    json.push_back({{"name", attachment.name},
                    {"mime_type", attachment.mime_type},
                    {"content", as_text(attachment.content)}});
  }
  return json;
}

struct ToJson {
  Json operator()(const v1::TestStarted& event) const { return {{"started", event.test_id}}; }
  Json operator()(const v1::TestEnded& event) const {
    return {{"ended", event.test_id},
            {"status", to_string(event.status)},
            {"attachments", attachments_json(event.attachments)}};
  }
  Json operator()(const v1::TimeStamped& event) const {
    const auto total = event.when.time_since_epoch().count();
    return {{"time", {total / 1'000'000'000, total % 1'000'000'000}}};
  }
  Json operator()(const v1::Tagged& event) const {
    return {{"added", event.added}, {"removed", event.removed}};
  }
  Json operator()(const v1::Progress& event) const {
    static constexpr const char* kinds[] = {"set", "change", "push", "pop"};
    return {{"progress", kinds[static_cast<int>(event.kind)]}, {"offset", event.offset}};
  }
  Json operator()(const v1::ForeignLine& event) const { return {{"output", event.text}}; }
  Json operator()(const v1::Damaged& event) const {
    return {{"damaged", event.test_id}, {"attachments", attachments_json(event.attachments)}};
  }
};

}  // namespace

Json to_json(const v1::Event& event) {
  return std::visit(ToJson(), event);
}

void append_event(Json& events, const v1::Event& event) {
  Json json = to_json(event);
  if (json.contains("output") && !events.empty() && events.back().contains("output")) {
    events.back()["output"] =
        events.back()["output"].get<std::string>() + json["output"].get<std::string>();
  } else {
    events.push_back(std::move(json));
  }
}

}  // namespace hearth::protocol::test
