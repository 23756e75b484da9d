# tieline_add_connector(<name> <source>...)
#
# Builds <name>.so, a tieline connector: a module without a "lib" prefix that exports tieline_connector_v0 and nothing
# else, resolves every symbol at link time (-z defs) and binds them at load (-z now), as the host's loader demands.
# The kit (static helpers) and tieline.h are linked; add your own with target_link_libraries(<name> PRIVATE ...).
# The module is put into TIELINE_CONNECTOR_OUTPUT_DIR, by default <build directory>/connectors.
# Works inside this tree and after find_package(tieline). There it also sees to what a crash is found by and what C lets
# pass: without a build type it is built with -O2 -g, and a function that nobody declares ends the build.

set(TIELINE_C_ERRORS -Werror=implicit-function-declaration -Werror=int-conversion
  -Werror=incompatible-pointer-types -Werror=return-type)
set(TIELINE_CONNECTOR_MAP "${CMAKE_CURRENT_LIST_DIR}/tieline-connector.map")

function(tieline_add_connector name)
  if(NOT ARGN)
    message(FATAL_ERROR "tieline_add_connector(${name}): no sources given")
  endif()
  if(NOT TIELINE_CONNECTOR_OUTPUT_DIR)
    set(TIELINE_CONNECTOR_OUTPUT_DIR "${CMAKE_BINARY_DIR}/connectors")
  endif()
  add_library(${name} MODULE ${ARGN})
  target_link_libraries(${name} PRIVATE tieline::kit tieline::sdk)
  if(TARGET tieline_flags) # inside this tree: its warnings and sanitizers
    target_link_libraries(${name} PRIVATE tieline_flags)
  else()
    target_compile_options(${name} PRIVATE -Wall "$<$<COMPILE_LANGUAGE:C>:${TIELINE_C_ERRORS}>")
    if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
      target_compile_options(${name} PRIVATE -O2 -g)
    endif()
  endif()
  target_compile_features(${name} PRIVATE c_std_11)
  set_target_properties(${name} PROPERTIES
    PREFIX ""
    C_VISIBILITY_PRESET hidden
    CXX_VISIBILITY_PRESET hidden
    POSITION_INDEPENDENT_CODE ON
    LIBRARY_OUTPUT_DIRECTORY "${TIELINE_CONNECTOR_OUTPUT_DIR}"
    LINK_DEPENDS "${TIELINE_CONNECTOR_MAP}")
  target_link_options(${name} PRIVATE
    -Wl,-z,defs -Wl,-z,now -Wl,-z,relro "-Wl,--version-script=${TIELINE_CONNECTOR_MAP}")
endfunction()

# tieline_install_connector(<name>)
#
# An install rule for <name>.so and, when "tieline-sdk check --save" left one, for <name>.grade beside it. Without a
# prefix of the project's own, "cmake --install BUILD" puts them where the tieline that was found looks for connectors;
# with -DCMAKE_INSTALL_PREFIX=X or --prefix X below X. After find_package(tieline) only.
function(tieline_install_connector name)
  if(CMAKE_INSTALL_PREFIX_INITIALIZED_TO_DEFAULT)
    set(CMAKE_INSTALL_PREFIX "${TIELINE_PREFIX}" CACHE PATH "Where tieline is, so that it finds the connector" FORCE)
  endif()
  install(TARGETS ${name} LIBRARY DESTINATION "${TIELINE_CONNECTOR_SUBDIR}")
  install(FILES "$<TARGET_FILE_DIR:${name}>/${name}.grade" DESTINATION "${TIELINE_CONNECTOR_SUBDIR}" OPTIONAL)
  get_filename_component(to "${TIELINE_CONNECTOR_SUBDIR}" ABSOLUTE BASE_DIR "${CMAKE_INSTALL_PREFIX}")
  if(NOT to STREQUAL TIELINE_CONNECTOR_DIR)
    message(STATUS "${name} is installed into ${to}: this tieline looks there with [connectors] dir only")
  endif()
endfunction()
