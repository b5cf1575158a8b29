// An ordinary program.
int main() {
  return 0;
}
