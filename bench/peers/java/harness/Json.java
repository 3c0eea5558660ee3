package harness;

/** Writes one line of JSON. Nothing is read back here, so that a library would be more than what is needed. */
final class Json {
  private final StringBuilder text = new StringBuilder();
  private boolean first = true;

  private Json key(String name) {
    comma();
    text.append('"').append(name).append("\":");
    return this;
  }

  private void comma() {
    if (!first) text.append(',');
    first = false;
  }

  Json open(String name) {
    if (name == null) comma();
    else key(name);
    text.append('{');
    first = true;
    return this;
  }

  Json close() {
    text.append('}');
    first = false;
    return this;
  }

  Json openArray(String name) {
    if (name == null) comma();
    else key(name);
    text.append('[');
    first = true;
    return this;
  }

  Json closeArray() {
    text.append(']');
    first = false;
    return this;
  }

  Json field(String name, long value) {
    key(name).text.append(value);
    return this;
  }

  Json field(String name, double value) {
    key(name);
    number(value);
    return this;
  }

  Json field(String name, boolean value) {
    key(name).text.append(value);
    return this;
  }

  Json field(String name, String value) {
    key(name).text.append('"').append(value.replace("\\", "\\\\").replace("\"", "\\\"")).append('"');
    return this;
  }

  Json value(long value) {
    comma();
    text.append(value);
    return this;
  }

  Json value(double value) {
    comma();
    number(value);
    return this;
  }

  private void number(double value) {
    if (value == Math.rint(value) && Math.abs(value) < 1e15) text.append((long) value);
    else text.append(value);
  }

  @Override
  public String toString() {
    return text.toString();
  }
}
