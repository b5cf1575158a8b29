// A CppUnit program as people have them: its main has grown over the years. It prints dots and a
// summary, or, when told to with --xml=FILE, writes its results there.
#include <cppunit/CompilerOutputter.h>
#include <cppunit/TestResult.h>
#include <cppunit/TestResultCollector.h>
#include <cppunit/TestRunner.h>
#include <cppunit/TextTestProgressListener.h>
#include <cppunit/XmlOutputter.h>
#include <cppunit/extensions/TestFactoryRegistry.h>

#include <fstream>
#include <iostream>
#include <string>

int main(int argc, char** argv) {
  const std::string xml_option = "--xml=";
  std::string xml;
  std::string path;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    (argument.compare(0, xml_option.size(), xml_option) == 0 ? xml : path) = argument;
  }

  CppUnit::TestResult controller;
  CppUnit::TestResultCollector result;
  controller.addListener(&result);
  CppUnit::TextTestProgressListener progress;
  controller.addListener(&progress);

  CppUnit::TestRunner runner;
  runner.addTest(CppUnit::TestFactoryRegistry::getRegistry().makeTest());
  try {
    runner.run(controller, path);
  } catch (const std::invalid_argument& error) {
    std::cerr << "no such test: " << error.what() << '\n';
    return 2;
  }

  CppUnit::CompilerOutputter(&result, std::cerr).write();
  if (!xml.empty()) {
    std::ofstream file(xml.substr(xml_option.size()));
    CppUnit::XmlOutputter(&result, file).write();
  }
  return result.wasSuccessful() ? 0 : 1;
}
