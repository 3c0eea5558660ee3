package gc;

/** How large objects are in this virtual machine, for the size of the heap that a workload is given. */
record Sizes(int reference) {
  long object(int references, int primitiveBytes) {
    int header = reference == 4 ? 12 : 16;
    return aligned(header + (long) references * reference + primitiveBytes);
  }

  long array(long length, int elementBytes) {
    return aligned(16 + length * elementBytes);
  }

  long references(long length) {
    return array(length, reference);
  }

  /** A string of one byte a character. */
  long string(int length) {
    return object(1, 8) + array(length, 1);
  }

  long wideNode() {
    return object(2, 48);
  }

  private static long aligned(long bytes) {
    return (bytes + 7) & ~7L;
  }
}
