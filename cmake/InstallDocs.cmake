# README and docs as they are installed: what they link to lies elsewhere there than in the source tree.
file(GLOB doc_files RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} CONFIGURE_DEPENDS README.md docs/*.md docs/adr/*.md)
list(APPEND doc_files bench/TARGETS.md)
foreach(file IN LISTS doc_files)
  if(NOT EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${file})
    continue()
  endif()
  get_filename_component(folder ${file} DIRECTORY)
  set(here ${CMAKE_INSTALL_FULL_DOCDIR}/${folder})
  string(REGEX REPLACE "[^/]+" ".." up "${folder}")
  if(up)
    string(APPEND up "/")
  endif()
  file(READ ${file} text)
  foreach(pair IN ITEMS
      "etc/tieline.ini|${CMAKE_INSTALL_FULL_DOCDIR}/tieline.ini"
      "etc/tieline.service|${CMAKE_INSTALL_PREFIX}/lib/systemd/system/tieline.service"
      "sdk/include/tieline.h|${CMAKE_INSTALL_FULL_INCLUDEDIR}/tieline.h"
      "sdk/kit|${CMAKE_INSTALL_FULL_INCLUDEDIR}/tieline/kit"
      "sdk/examples/toy|${CMAKE_INSTALL_FULL_DATADIR}/tieline/sdk/examples/toy")
    string(REPLACE "|" ";" pair "${pair}")
    list(GET pair 0 source)
    list(GET pair 1 target)
    file(RELATIVE_PATH target ${here} ${target})
    string(REPLACE "](${up}${source})" "](${target})" text "${text}")
  endforeach()
  file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/installed-docs/${file} "${text}")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${file})
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/installed-docs/${file} DESTINATION ${CMAKE_INSTALL_DOCDIR}/${folder}
    COMPONENT runtime)
endforeach()
